"""Which web pages may open a socket: the Origin header against the settings (protocol §1)."""

import re
from collections.abc import Collection
from typing import NamedTuple, Self

from django.http.request import validate_host

_ORIGIN = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?", re.ASCII)
_IMPLIED = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """A page's scheme, host and port."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The origin `text` names; ValueError when it names none, as `null` and URLs with a path do."""
        match = _ORIGIN.fullmatch(text.lower())
        port = int(match[3] or _IMPLIED[match[1]]) if match else 0
        if match is None or not 1 <= port <= 65535:
            raise ValueError(f"{text!r} is not an origin like https://chat.example.com")
        return cls(match[1], match[2], port)


def is_allowed(header: str, *, host: str, allowed: Collection[Origin], hosts: Collection[str]) -> bool:
    """Whether a page of the origin in `header` may talk to us.

    With nothing `allowed` explicitly, pages of the `host` the request itself was sent to may, when it is one of
    our `hosts` (Django's ALLOWED_HOSTS, so that a rebound DNS name is refused).
    """
    try:
        origin = Origin.parse(header)
        if allowed:
            return origin in allowed
        own = Origin.parse(f"{origin.scheme}://{host}")
    except ValueError:
        return False
    return origin == own and validate_host(own.host, hosts)
