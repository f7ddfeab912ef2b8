"""One browser tab as the tests see it. It speaks wire JSON with literals, never our Envelope."""

import asyncio
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote
from uuid import uuid4

Frame = dict[str, Any]
PATIENCE = 5.0
LOST = 1006
"""How a connection ends that nobody closes."""


class Closed(Exception):
    """The server closed the socket."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Denied(Exception):
    """The server refused the handshake: HTTP 403."""


def strictly(text: str) -> Frame:
    """Return the frame in `text`. AssertionError unless it is strict JSON."""

    def no_constants(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    frame = json.loads(text, parse_constant=no_constants)
    assert isinstance(frame, dict)
    return frame


def query_for(user: str, room: str) -> str:
    """Return the query of a handshake with this user id and, unless it is empty, this room."""
    return f"userId={quote(user)}" + (f"&room={quote(room)}" if room else "")


class Talk:
    """A tab that sends and receives frames; subclasses say over what."""

    user: str

    async def sends_text(self, text: str) -> None:
        raise NotImplementedError

    async def hears_text(self) -> str:
        """Return the text of the next frame. Closed when the server has closed the socket."""
        raise NotImplementedError

    async def sends(self, kind: str, **fields: Any) -> None:
        """Send a message of this type with these fields."""
        await self.sends_text(json.dumps({"type": kind} | fields))

    async def says(self, content: str, *, room: str = "attic", **fields: Any) -> None:
        """Send a chat message to a room."""
        await self.sends("chat_message", room=room, payload={"content": content}, **fields)

    async def writes(self, to: str, content: str) -> None:
        """Send a direct message to a user."""
        await self.sends("chat_message", toUser=to, payload={"content": content})

    async def hears_frame(self) -> Frame:
        """Return the next frame, of any type."""
        return strictly(await asyncio.wait_for(self.hears_text(), PATIENCE))

    async def hears(self, kind: str) -> Frame:
        """Return the next frame, which must be of this type."""
        frame = await self.hears_frame()
        assert frame["type"] == kind, frame
        return frame

    async def hears_said(self) -> str:
        """Return the content of the next frame, which must be a chat message."""
        return str((await self.hears("chat_message"))["payload"]["content"])

    async def asks(self, kind: str, answer: str, **fields: Any) -> Any:
        """Send a request, and return the payload of the next frame, which must be of the type `answer`."""
        await self.sends(kind, **fields)
        return (await self.hears(answer))["payload"]

    async def hears_until(self, content: str) -> list[Frame]:
        """Return all frames before the chat message with this content."""
        frames: list[Frame] = []
        while True:
            frame = await self.hears_frame()
            if frame["type"] == "chat_message" and frame["payload"]["content"] == content:
                return frames
            frames.append(frame)

    async def hears_close(self) -> int:
        """Return the code with which the server closes, after any other frames; 1006 when it sends none."""
        while True:
            try:
                await asyncio.wait_for(self.hears_text(), PATIENCE)
            except Closed as closed:
                return closed.code

    async def hears_nothing(self) -> None:
        """Assert that no frame has been sent to this tab.

        Frames to one socket arrive in order, so what has not arrived before a message to the tab's own user never will.
        """
        assert await self.heard() == []

    async def heard(self) -> list[Frame]:
        """Return all frames that have been sent to this tab up to now."""
        fence = f"fence {uuid4()}"
        await self.writes(self.user, fence)
        return await self.hears_until(fence)


class Tab(Talk):
    """A tab connected straight to the ASGI application."""

    def __init__(
        self,
        application: Callable[..., Any],
        user: str,
        *,
        path: str = "/ws",
        query: str | None = None,
        room: str = "",
        headers: dict[str, str] | None = None,
        subprotocols: tuple[str, ...] = (),
    ) -> None:
        self.user = user
        self.protocol: str | None = None
        query = query_for(user, room) if query is None else query
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin1")) for name, value in (headers or {}).items()],
            "subprotocols": list(subprotocols),
        }
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._life = asyncio.ensure_future(application(scope, self._out.get, self._in.put))
        self._open = False

    async def __aenter__(self) -> Self:
        self._out.put_nowait({"type": "websocket.connect"})
        event = await asyncio.wait_for(self._in.get(), PATIENCE)
        if event["type"] == "websocket.close":
            await self._life
            raise Denied
        assert event["type"] == "websocket.accept"
        self.protocol = event["subprotocol"]
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open:
            await self.closes()

    async def closes(self, code: int | None = 1000) -> None:
        """Close, and return when the server has handled it. The code 1006 stands for a lost connection."""
        self._open = False
        self._out.put_nowait({"type": "websocket.disconnect", "code": code})
        await asyncio.wait_for(self._life, PATIENCE)

    async def sends_text(self, text: str) -> None:
        self._out.put_nowait({"type": "websocket.receive", "text": text})

    async def sends_bytes(self, data: bytes) -> None:
        """Send a binary frame."""
        self._out.put_nowait({"type": "websocket.receive", "bytes": data})

    async def hears_text(self) -> str:
        event = await self._in.get()
        if event["type"] == "websocket.close":
            self._open = False
            await self._life
            raise Closed(event["code"])
        return str(event["text"])
