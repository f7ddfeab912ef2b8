"""What a connection has sent and its application has not taken: the queue between daphne and us, bounded."""

import asyncio
from typing import Any

READ_BACKLOG = 64
"""Frames of one socket that may wait for the application before its sender is held up."""


class Inbox(asyncio.Queue[dict[str, Any]]):
    """What a connection has sent and the application has not taken; past the bound its sender is held up.

    One who asks for much gets it as fast as he reads: nothing is handed out while answers wait to be sent. Twisted
    says when they do, to what it calls the producer of a transport.
    """

    def __init__(self, transport: Any) -> None:
        super().__init__()
        self._transport = transport
        self._paused = False
        self._ended = False
        self._taken = False
        self._writable = asyncio.Event()
        self._writable.set()

    def pauseProducing(self) -> None:
        if not self._ended:
            self._writable.clear()

    def resumeProducing(self) -> None:
        self._writable.set()

    def stopProducing(self) -> None:
        self._writable.set()

    def put_nowait(self, item: dict[str, Any]) -> None:
        super().put_nowait(item)
        if item["type"] == "websocket.disconnect":
            # There is an end to it, and nobody to wait for.
            self._ended = True
            self._writable.set()
        if not self._paused and self.qsize() > READ_BACKLOG:
            self._paused = True
            self._transport.pauseProducing()

    async def get(self) -> dict[str, Any]:
        if self._taken:
            # Whoever asks for the next one is through with the last: `join` waits for that.
            self._taken = False
            self.task_done()
        if self._paused and self.qsize() <= READ_BACKLOG // 2:
            self._paused = False
            self._transport.resumeProducing()
        await self._writable.wait()
        item = await super().get()
        self._taken = True
        return item
