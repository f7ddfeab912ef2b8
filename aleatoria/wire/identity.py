"""Who is on a connection: by token, guest cookie, Django login or, where the settings trust it, `?userId=`."""

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
# Django's default separator, a colon, is not allowed in Sec-WebSocket-Protocol, which may carry a token.
_signer = signing.Signer(sep="~", salt="aleatoria.identity")
_SUFFIX = 10
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


class Session(NamedTuple):
    """The token with which a guest proves their id. Times are seconds since 1970."""

    user_id: str
    token: str
    expires_at: float


class Unidentified(Exception):
    """The connection carries no proof of an identity, or one that is expired or forged."""


class InvalidUserId(Exception):
    """The proof is valid, but the name in it is no user id."""


def open_session(name: str) -> Session:
    """Return a session for a new guest. The id begins with the part of `name` that an id may hold and is unique."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^A-Za-z0-9._~@+-]+", "-", plain).strip("-._~@+")[: 63 - _SUFFIX] or "guest"
    user_id = f"{stem}-{''.join(secrets.choice(_ALPHABET) for _ in range(_SUFFIX))}"
    expires_at = time.time() + settings.SESSION_TTL.total_seconds()
    return Session(user_id, sign(user_id, expires_at), expires_at)


def sign(user_id: str, expires_at: float) -> str:
    """Return a token that proves `user_id` until `expires_at`."""
    return _signer.sign_object({"userId": user_id, "expiresAt": expires_at})


def verify(token: str) -> str:
    """Return the user id that `token` proves. Raises Unidentified when it is forged or expired."""
    try:
        claim = _signer.unsign_object(token)
        user_id, expires_at = str(claim["userId"]), float(claim["expiresAt"])
    except (signing.BadSignature, ValueError, KeyError, TypeError):
        raise Unidentified from None
    if expires_at <= time.time():
        raise Unidentified
    return user_id


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """Return the request's headers by lower-case name. Headers of the same name are joined, as HTTP allows."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin1").lower(), value.decode("latin1")
        between = "; " if key == "cookie" else ","
        headers[key] = f"{headers[key]}{between}{text}" if key in headers else text
    return headers


def query_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of the query; the last of a name counts. Raises UnicodeDecodeError when it is not UTF-8."""
    fields = parse_qs(scope["query_string"].decode(), keep_blank_values=True, errors="strict")
    return {name: values[-1] for name, values in fields.items()}


def bearer_token(scope: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """Return the token in the Authorization header or among the sub-protocols, or None."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    for protocol in scope.get("subprotocols", ()):
        if protocol.startswith(_BEARER):
            return str(protocol.removeprefix(_BEARER))
    return None


async def identify(scope: Mapping[str, Any], headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """Return the user id of the connection.

    The first proof that is present decides; a wrong one is refused, not skipped. Raises Unidentified or InvalidUserId.
    """
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
    """Return the username of the logged-in user, or None. Without a session cookie the database is not queried."""
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    store = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = await get_user({"session": store})
    return user.get_username() if user.is_authenticated and user.is_active else None
