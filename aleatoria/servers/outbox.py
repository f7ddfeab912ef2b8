"""What waits to be sent to the sockets of this process: written once a turn of the event loop."""

import asyncio
from collections.abc import Callable

CLOSE_HANDSHAKE = 10.0
"""Seconds in which a slow reader may still read up to why he was cut off."""
FAREWELL_DEADLINE = 1.0
"""Seconds for the peers to hear that the server stops."""
_due: list["Outbox"] = []


class Outbox:
    """The frames of one connection that have not been written yet; `write` takes any amount at once."""

    __slots__ = ("_frames", "_write", "size")

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._frames: list[bytes] = []
        self.size = 0
        """Bytes that wait here."""

    def put(self, frame: bytes) -> None:
        """Write it at the end of this turn of the event loop, behind what is here."""
        if not self._frames:
            if not _due:
                asyncio.get_running_loop().call_soon(_flush_all)
            _due.append(self)
        self._frames.append(frame)
        self.size += len(frame)

    def flush(self) -> None:
        """Write what is here now."""
        if self._frames:
            data = self._frames[0] if len(self._frames) == 1 else b"".join(self._frames)
            self._frames, self.size = [], 0
            self._write(data)


def _flush_all() -> None:
    due = _due[:]
    _due.clear()
    for outbox in due:
        outbox.flush()
