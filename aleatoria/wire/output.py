"""The way out of one socket: finished frames, then one close."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aleatoria.telemetry import metrics
from aleatoria.valkey.events import Event, frame
from aleatoria.wire.errors import CloseCode
from aleatoria.wire.tasks import Tasks

WRITER = "aleatoria.writer"
"""The ASGI extension of a server that takes a frame's text at once, without a coroutine: `write(text) -> bool`.
On False, use `await send(...)` instead: it may have to wait for the client."""
CUT_OFF_WITHIN = 5.0
"""Seconds a close may take for a client that does not read."""
OPEN = asyncio.Event()
"""The event that all open sockets share: an Event of their own would take 700 bytes each."""
OPEN.set()

CUT = metrics.LabelledCounter(
    "aleatoria_sockets_cut",
    "Sockets that the server closed, and why.",
    "reason",
    ("slow_reader", "flooding", "malformed", "banned"),
)

Send = Callable[[Event], Awaitable[None]]


class Output:
    """What one socket sends. Nothing is sent after the close."""

    __slots__ = ("_ready", "_send", "_tasks", "_write", "closed_with", "is_cut", "life")

    def __init__(self, send: Send, tasks: Tasks) -> None:
        self._send = send
        self._tasks = tasks
        self._ready = asyncio.Event()
        self._write: Callable[[str], bool] | None = None
        self.life: asyncio.Task[Any] | None = None
        """The task that serves the socket."""
        self.closed_with = 0
        """The code with which this side has closed the socket; 0 while it has not."""
        self.is_cut = False
        """Whether the socket is being closed although its client may not read."""

    @property
    def is_open(self) -> bool:
        """Whether the handshake is over, so that frames may be sent."""
        return self._ready.is_set()

    async def accept(self, protocol: str | None) -> None:
        """Accept the handshake."""
        await self._send({"type": "websocket.accept", "subprotocol": protocol})

    async def deny(self) -> None:
        """Refuse the handshake: HTTP 403."""
        await self._send({"type": "websocket.close"})

    def open(self, write: Callable[[str], bool] | None) -> None:
        """Let frames out, through `write` where the server offers it."""
        self._ready.set()
        self._ready = OPEN
        self._write = write

    async def opened(self) -> None:
        """Returns when frames may be sent."""
        await self._ready.wait()

    async def send_text(self, text: str) -> None:
        """Put a finished frame on the socket."""
        if self._write is None or not self._write(text):
            await self._send(frame(text))

    async def close(self, code: CloseCode) -> None:
        """Close the socket, once; frames that are still coming in are not answered."""
        if not self.closed_with:
            self.closed_with = code.number
            await self._send({"type": "websocket.close", "code": code.number})

    def cut(self, code: CloseCode, reason: str) -> None:
        """Close the socket and end its life, whether its client reads or not; `reason` is counted."""
        if not (self.closed_with or self.is_cut):
            self.is_cut = True
            CUT.by[reason] += 1
            self._tasks.spawn(self._cut_off(code))

    async def _cut_off(self, code: CloseCode) -> None:
        # Where a send waits for a client that does not read, a close waits too.
        with suppress(TimeoutError):
            await asyncio.wait_for(self.close(code), CUT_OFF_WITHIN)
        if self.life is not None:
            self.life.cancel()
