"""Who is on this connection: tokens, the guest cookie, Django users and, where trusted, `?userId=` (protocol §1)."""

import re
import secrets
import time
import unicodedata
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from channels.auth import get_user
from django.conf import settings
from django.core import signing
from django.http import parse_cookie

from aleatoria.wire import names

COOKIE = "aleatoria_guest"
PROTOCOL = "aleatoria.v1"
_BEARER = "bearer."
# Not Django's colon: a token must also fit into Sec-WebSocket-Protocol.
_signer = signing.Signer(sep="~", salt="aleatoria.identity")
_SUFFIX = 10
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


class Session(NamedTuple):
    """A guest's proof of who he is; times are seconds since 1970."""

    user_id: str
    token: str
    expires_at: float


class Unidentified(Exception):
    """Nobody, somebody whose proof has expired, or a forger."""


class InvalidUserId(Exception):
    """Somebody whose name cannot be a user id."""


def open_session(name: str) -> Session:
    """A new guest called like `name`, as far as an id may be called so; nobody else is or gets called the same."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^A-Za-z0-9._~@+-]+", "-", plain).strip("-._~@+")[: 63 - _SUFFIX] or "guest"
    user_id = f"{stem}-{''.join(secrets.choice(_ALPHABET) for _ in range(_SUFFIX))}"
    expires_at = time.time() + settings.SESSION_TTL.total_seconds()
    return Session(user_id, sign(user_id, expires_at), expires_at)


def sign(user_id: str, expires_at: float) -> str:
    """A token that proves `user_id` until `expires_at`."""
    return _signer.sign_object({"userId": user_id, "expiresAt": expires_at})


def verify(token: str) -> str:
    """Whom `token` proves; Unidentified when it is forged or has expired."""
    try:
        claim = _signer.unsign_object(token)
        user_id, expires_at = str(claim["userId"]), float(claim["expiresAt"])
    except (signing.BadSignature, ValueError, KeyError, TypeError):
        raise Unidentified from None
    if expires_at <= time.time():
        raise Unidentified
    return user_id


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """The request's headers by lower-case name; several of one name are joined, as HTTP allows."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin1").lower(), value.decode("latin1")
        between = "; " if key == "cookie" else ","
        headers[key] = f"{headers[key]}{between}{text}" if key in headers else text
    return headers


def query_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """The query's fields, of one given twice the last; UnicodeDecodeError when they are not UTF-8."""
    fields = parse_qs(scope["query_string"].decode(), keep_blank_values=True, errors="strict")
    return {name: values[-1] for name, values in fields.items()}


def bearer_token(scope: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """The token in the Authorization header or among the sub-protocols; None when there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    for protocol in scope.get("subprotocols", ()):
        if protocol.startswith(_BEARER):
            return str(protocol.removeprefix(_BEARER))
    return None


async def identify(scope: Mapping[str, Any], headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """Whose connection this is. The first proof that is present decides; a bad one is refused, not skipped."""
    token = bearer_token(scope, headers)
    cookies = parse_cookie(headers.get("cookie", ""))
    if token is None:
        token = cookies.get(COOKIE)
    user_id = verify(token) if token is not None else await _django_user(cookies)
    if user_id is None and settings.TRUST_USER_ID:
        user_id = query.get("userId")
    if not user_id:
        raise Unidentified
    if not names.is_user_id(user_id):
        raise InvalidUserId
    return user_id


async def _django_user(cookies: Mapping[str, str]) -> str | None:
    """The username of who is logged in; None when nobody is. Without a session cookie the database is not asked."""
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    store = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = await get_user({"session": store})
    return user.get_username() if user.is_authenticated and user.is_active else None
