"""Frames on their way out: each connection's are collected and written together, once a turn of the event loop."""

import asyncio
from collections.abc import Callable

CLOSE_HANDSHAKE = 10.0
"""Seconds a slow client has to drain its buffer, and to read the close frame, before the connection is aborted."""
FAREWELL_DEADLINE = 1.0
"""Seconds the clients have to answer the close frame when the server stops."""


class Flusher:
    """Writes the outboxes of one server at the end of the turn of the event loop in which they were filled.

    One callback of the event loop serves all of them. A callback for each would add a fifth to the cost of a delivery.
    """

    __slots__ = ("_due",)

    def __init__(self) -> None:
        self._due: list[Outbox] = []

    def flush_soon(self, outbox: "Outbox") -> None:
        """Flush `outbox` at the end of this turn of the event loop."""
        if not self._due:
            asyncio.get_running_loop().call_soon(self._flush_all)
        self._due.append(outbox)

    def _flush_all(self) -> None:
        due, self._due = self._due, []
        for outbox in due:
            outbox.flush()


class Outbox:
    """The frames of one connection that have not been written yet. `write` must accept any number of bytes."""

    __slots__ = ("_flusher", "_frames", "_write", "size")

    def __init__(self, flusher: Flusher, write: Callable[[bytes], None]) -> None:
        self._flusher = flusher
        self._write = write
        self._frames: list[bytes] = []
        self.size = 0
        """Bytes of the frames in this outbox."""

    def put(self, frame: bytes) -> None:
        """Write `frame` at the end of this turn of the event loop, behind the frames that are here already."""
        if not self._frames:
            self._flusher.flush_soon(self)
        self._frames.append(frame)
        self.size += len(frame)

    def flush(self) -> None:
        """Write all frames now."""
        if self._frames:
            data = self._frames[0] if len(self._frames) == 1 else b"".join(self._frames)
            self._frames, self.size = [], 0
            self._write(data)
