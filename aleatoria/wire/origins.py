"""Which web pages may open a socket: the Origin header is checked against the settings."""

import re
from collections.abc import Collection
from typing import NamedTuple, Self

from django.http.request import validate_host

_ORIGIN = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?", re.ASCII)
_IMPLIED = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """The scheme, host and port of a page."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the origin that `text` names. Raises ValueError when it names none, as `null` or a URL with a path."""
        match = _ORIGIN.fullmatch(text.lower())
        port = int(match[3] or _IMPLIED[match[1]]) if match else 0
        if match is None or not 1 <= port <= 65535:
            raise ValueError(f"{text!r} is not an origin like https://chat.example.com")
        return cls(match[1], match[2], port)


def is_allowed(header: str, *, host: str, allowed: Collection[Origin], hosts: Collection[str]) -> bool:
    """Return whether a page of the origin in `header` may connect.

    If `allowed` is empty, only pages of the `host` that the request was sent to may, and only if that is one of
    `hosts`. These are Django's ALLOWED_HOSTS, so that a rebound DNS name is refused.
    """
    try:
        origin = Origin.parse(header)
        if allowed:
            return origin in allowed
        own = Origin.parse(f"{origin.scheme}://{host}")
    except ValueError:
        return False
    return origin == own and validate_host(own.host, hosts)
