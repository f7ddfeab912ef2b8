"""The events that a connection has received and its application has not taken yet: a queue with a bound."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

READ_BACKLOG = 64
"""Events that may wait for the application before the server stops reading from the connection."""

Event = dict[str, Any]


class Inbox:
    """The queue of one connection's events, with one reader.

    Past the bound, `pause` is called to stop reading from the connection, and `resume` when half has been taken.
    `get()` waits while the write buffer is above its high-water mark, so that a client who asks for much and reads
    slowly is served as fast as they read. To learn of that, the inbox is what Twisted calls a transport's producer.
    """

    # An asyncio.Queue does the same with five more objects for each of many thousand connections.
    __slots__ = ("_ended", "_idle", "_is_paused", "_is_writable", "_items", "_pause", "_resume", "_wake")

    def __init__(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._pause, self._resume = pause, resume
        self._items: deque[Event] = deque()
        self._is_paused = self._ended = False
        self._is_writable = True
        self._wake: asyncio.Future[None] | None = None
        """Done when the reader, which waits, should look again."""
        self._idle: asyncio.Future[None] | None = None
        """Done when the reader has taken all events and asks for more."""

    def pauseProducing(self) -> None:
        """Twisted's name for: the write buffer is above its high-water mark."""
        self._is_writable = self._ended

    def resumeProducing(self) -> None:
        """Twisted's name for: the write buffer has drained."""
        self._is_writable = True
        self._wake_up()

    def stopProducing(self) -> None:
        """Twisted's name for: the connection is lost."""
        self.resumeProducing()

    def put_nowait(self, event: Event) -> None:
        """Add `event` behind the others."""
        self._items.append(event)
        if event["type"] == "websocket.disconnect":
            # Nobody reads the answers any more, so the reader does not wait for the write buffer.
            self._ended = self._is_writable = True
        if not self._is_paused and len(self._items) > READ_BACKLOG:
            self._is_paused = True
            self._pause()
        self._wake_up()

    async def get(self) -> Event:
        """Take the next event, as soon as there is one and the write buffer has drained."""
        while not (self._items and self._is_writable):
            if not self._items and self._idle is not None and not self._idle.done():
                self._idle.set_result(None)
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        event = self._items.popleft()
        if self._is_paused and len(self._items) <= READ_BACKLOG // 2:
            self._is_paused = False
            self._resume()
        return event

    async def join(self) -> None:
        """Wait until the reader has taken all events and asks for more, having dealt with them."""
        if self._items or self._wake is None or self._wake.done():
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle

    def _wake_up(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
