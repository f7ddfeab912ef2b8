"""Which path speaks what."""

from typing import Any

from django.urls import path, re_path

from aleatoria import node
from chat.consumers import ChatConsumer
from matchmaking.consumers import MatchmakingConsumer


class SocketConsumer(ChatConsumer, MatchmakingConsumer):
    """Everything over one socket: what clients of the original use."""


async def everything(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Chat and matchmaking over one socket."""
    here = node.current()
    await SocketConsumer(host=here, people=here.people, callers=here.callers)(scope, receive, send)


async def only_chat(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Chat alone."""
    here = node.current()
    await ChatConsumer(host=here, people=here.people)(scope, receive, send)


async def only_matchmaking(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Matchmaking alone."""
    here = node.current()
    await MatchmakingConsumer(host=here, callers=here.callers)(scope, receive, send)


async def nothing_here(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Any other path: refused like a page that is not there, as HTTP 403."""
    await receive()
    await send({"type": "websocket.close"})


# ASGI applications instead of views, as Channels' URLRouter wants them.
websocket_urlpatterns = [
    path("ws", everything),  # type: ignore[arg-type]
    path("ws/chat", only_chat),  # type: ignore[arg-type]
    path("ws/matchmaking", only_matchmaking),  # type: ignore[arg-type]
    re_path("", nothing_here),  # type: ignore[arg-type]
]
