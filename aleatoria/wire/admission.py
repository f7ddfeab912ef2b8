"""Who may open a socket: the page it comes from, and the proof of who opens it."""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings

from aleatoria.wire import identity, origins
from aleatoria.wire.errors import BAD_REQUEST, UNIDENTIFIED, Rejected

logger = logging.getLogger(__name__)


class ForeignOrigin(Exception):
    """A page that may not open sockets here: refused before the handshake, with HTTP 403."""


class Visitor(NamedTuple):
    """Who opens a socket, and the fields of the query."""

    user_id: str
    query: dict[str, str]


async def admit(scope: Mapping[str, Any]) -> Visitor:
    """The visitor behind a handshake; ForeignOrigin or Rejected when they may not come in."""
    headers = identity.headers_of(scope)
    if not _origin_is_allowed(scope, headers):
        logger.info("a page of %s may not connect", headers.get("origin", "no origin"))
        raise ForeignOrigin
    try:
        query = identity.query_of(scope)
        return Visitor(await identity.identify(scope, headers, query), query)
    except identity.Unidentified:
        raise Rejected(UNIDENTIFIED) from None
    except (identity.InvalidUserId, UnicodeDecodeError):
        raise Rejected(BAD_REQUEST) from None


def _origin_is_allowed(scope: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    if "origin" not in headers:
        return settings.TRUST_USER_ID or identity.bearer_token(scope, headers) is not None
    return origins.is_allowed(
        headers["origin"],
        host=headers.get("host", ""),
        allowed=settings.ALLOWED_ORIGINS,
        hosts=settings.ALLOWED_HOSTS,
    )
