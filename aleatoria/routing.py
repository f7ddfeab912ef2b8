"""Which socket speaks what (protocol §1)."""

from typing import Any

from django.urls import path, re_path

from chat.consumers import ChatConsumer
from matchmaking.consumers import MatchmakingConsumer


class SocketConsumer(ChatConsumer, MatchmakingConsumer):
    """Everything over one socket: what clients of the original use."""


async def nothing_here(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Any other path: refused like a page that is not there, as HTTP 403."""
    await receive()
    await send({"type": "websocket.close"})


websocket_urlpatterns = [
    path("ws", SocketConsumer.as_asgi()),
    path("ws/chat", ChatConsumer.as_asgi()),
    path("ws/matchmaking", MatchmakingConsumer.as_asgi()),
    re_path("", nothing_here),  # type: ignore[arg-type] # an ASGI application, as URLRouter wants
]
