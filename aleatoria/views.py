"""What the server answers over HTTP besides the admin: the page, the probes, and sessions for guests."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import msgspec
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.decorators import sync_and_async_middleware
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from aleatoria import node
from aleatoria.telemetry import metrics
from aleatoria.wire import identity, origins
from aleatoria.wire.errors import FORBIDDEN, INVALID_FIELD, MALFORMED, ErrorCode

View = Callable[[HttpRequest], Awaitable[HttpResponse]]
NAME_MAX = 64
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "media-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


class Wish(msgspec.Struct):
    """The body of a request for a session: the name that a guest would like."""

    name: str = ""


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The page. Its policy allows no other origin, no inline script, and no frame around it."""
    response = render(request, "aleatoria/index.html", {"user_id": _who(request)})
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response["Permissions-Policy"] = "camera=(self), microphone=(self), geolocation=(), payment=()"
    response["Cache-Control"] = "no-store"
    return response


def _who(request: HttpRequest) -> str:
    """The user id that a socket of this browser would get, empty when it would get none."""
    token = request.COOKIES.get(identity.COOKIE)
    if token is None:
        return request.user.get_username() if request.user.is_authenticated else ""
    try:
        return identity.verify(token)
    except identity.Unidentified:
        return ""


@require_safe
async def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 while this process serves requests."""
    return JsonResponse({"status": "ok"})


@require_safe
async def ready(request: HttpRequest) -> JsonResponse:
    """Answer whether Valkey keeps what is said (`ok`) or not (`degraded`). The process serves in either case: 200."""
    here = node.current()
    await here.start()
    state = here.link.health
    since = datetime.fromtimestamp(state.since, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    status = "degraded" if state.degraded else "ok"
    return JsonResponse({"status": status, "valkey": {"state": state.state.value, "since": since}})


@require_safe
async def prometheus(request: HttpRequest) -> HttpResponse:
    """The metrics of this process, for addresses in METRICS_ALLOWED_IPS that ask it directly."""
    if not _may_read_metrics(request):
        return _error(403, FORBIDDEN, "Only addresses in METRICS_ALLOWED_IPS can read this, and not through a proxy.")
    here = node.current()
    await here.start()
    return HttpResponse(await metrics.exposition(here.before_scrape), content_type=metrics.CONTENT_TYPE)


def _may_read_metrics(request: HttpRequest) -> bool:
    # Behind a proxy on this machine every request comes from a local address.
    if any(header in request.headers for header in ("forwarded", "x-forwarded-for", "x-real-ip")):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in settings.METRICS_ALLOWED_IPS)


PROBES: dict[str, View] = {
    "/health": health,
    "/ready": ready,
    "/metrics": prometheus,
}


@sync_and_async_middleware
def probes(answer: Any) -> Any:
    """A middleware that answers the probes under any host name.

    Load balancers and Prometheus ask an address, which need not be in ALLOWED_HOSTS.
    """
    if iscoroutinefunction(answer):

        async def answered(request: HttpRequest) -> HttpResponse:
            response: HttpResponse = await PROBES.get(request.path, answer)(request)
            return response

        return answered

    def answered_in_thread(request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path)
        response: HttpResponse = async_to_sync(probe)(request) if probe else answer(request)
        return response

    return answered_in_thread


@csrf_exempt  # the Origin is checked below, as for sockets
@require_http_methods(["POST", "DELETE", "OPTIONS"])
def session(request: HttpRequest) -> HttpResponse:
    """POST makes a guest: their id, their token, and a cookie that holds it. DELETE removes the cookie."""
    origin = request.headers.get("origin")
    if origin is not None and not _is_allowed(request, origin):
        return _error(403, FORBIDDEN, "This page can't open sessions here. ALLOWED_ORIGINS lists the pages that can.")
    response = _open_session(request) if request.method == "POST" else HttpResponse(status=204)
    if request.method == "DELETE":
        response.delete_cookie(identity.COOKIE, samesite="Lax")
    if origin is not None:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Credentials"] = "true"
        response["Access-Control-Allow-Headers"] = "content-type"
        response["Access-Control-Allow-Methods"] = "POST, DELETE"
        response["Vary"] = "Origin"
    return response


def _open_session(request: HttpRequest) -> HttpResponse:
    try:
        wish = msgspec.json.decode(request.body or b"{}", type=Wish)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _error(400, MALFORMED, 'Send an empty body, or JSON such as {"name": "ana"}.')
    if len(wish.name) > NAME_MAX:
        return _error(400, INVALID_FIELD, f"Names can have up to {NAME_MAX} characters.")
    guest = identity.open_session(wish.name)
    expires = datetime.fromtimestamp(guest.expires_at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    response = JsonResponse({"userId": guest.user_id, "token": guest.token, "expiresAt": expires})
    response.set_cookie(
        identity.COOKIE,
        guest.token,
        max_age=settings.SESSION_TTL,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    response["Cache-Control"] = "no-store"
    return response


def _is_allowed(request: HttpRequest, origin: str) -> bool:
    return origins.is_allowed(
        origin,
        host=request.headers.get("host", ""),
        allowed=settings.ALLOWED_ORIGINS,
        hosts=settings.ALLOWED_HOSTS,
    )


def _error(status: int, code: ErrorCode, text: str) -> JsonResponse:
    return JsonResponse({"error": text, "code": code.name}, status=status)
