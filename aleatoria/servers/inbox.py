"""What a connection has sent and its application has not taken: the queue between the server and us, bounded."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

READ_BACKLOG = 64
"""Frames of one socket that may wait for the application before its sender is held up."""

Event = dict[str, Any]


class Inbox:
    """The events of one connection, for one reader; past the bound its sender is held up.

    One who asks for much gets it as fast as he reads: nothing is handed out while answers wait to be sent. Twisted
    says when they do, to what it calls the producer of a transport. `pause` and `resume` hold up the sender.
    """

    # An asyncio.Queue does the same with five more objects, which each of many thousand sockets would have.
    __slots__ = ("_ended", "_idle", "_is_paused", "_is_writable", "_items", "_pause", "_resume", "_wake")

    def __init__(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._pause, self._resume = pause, resume
        self._items: deque[Event] = deque()
        self._is_paused = self._ended = False
        self._is_writable = True
        self._wake: asyncio.Future[None] | None = None
        """For the reader: there may be something to take."""
        self._idle: asyncio.Future[None] | None = None
        """For `join`: the reader has taken all and wants more."""

    def pauseProducing(self) -> None:
        self._is_writable = self._ended

    def resumeProducing(self) -> None:
        self._is_writable = True
        self._wake_up()

    def stopProducing(self) -> None:
        self.resumeProducing()

    def put_nowait(self, event: Event) -> None:
        """Hand it in, behind what is there."""
        self._items.append(event)
        if event["type"] == "websocket.disconnect":
            # There is an end to it, and nobody to wait for.
            self._ended = self._is_writable = True
        if not self._is_paused and len(self._items) > READ_BACKLOG:
            self._is_paused = True
            self._pause()
        self._wake_up()

    async def get(self) -> Event:
        """The next event, when there is one and what was answered has been sent."""
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
        """Returns when everything has been taken and dealt with: the reader has come for more."""
        if self._items or self._wake is None or self._wake.done():
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle

    def _wake_up(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
