"""What waits to be sent to the sockets of this process: written once a turn of the event loop, without detours.

autobahn frames a message for each receiver anew, and Twisted registers each of them with the poller, waits for it and
takes it out again. A broadcast is one frame, the same for all; a socket that reads what it gets takes it at once. Only
what it does not take goes the long way.
"""

import asyncio
from typing import Any

_SMALL, _MIDDLE = 126, 65536
_TEXT = 0x81  # a final frame that holds text; a server does not mask (RFC 6455, 5.2)
_due: list["Outbox"] = []
_last: tuple[str, bytes] = ("", b"")


def frame_of(text: str) -> bytes:
    """The WebSocket frame that carries `text`; of a broadcast it is made once."""
    global _last
    if _last[0] is text:
        return _last[1]
    payload = text.encode()
    size = len(payload)
    if size < _SMALL:
        head = bytes([_TEXT, size])
    elif size < _MIDDLE:
        head = bytes([_TEXT, 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([_TEXT, 127]) + size.to_bytes(8, "big")
    _last = text, head + payload
    return _last[1]


class Outbox:
    """The frames of one connection that have not been written yet."""

    __slots__ = ("_frames", "_transport", "size")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
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
        if not self._frames:
            return
        data = self._frames[0] if len(self._frames) == 1 else b"".join(self._frames)
        self._frames, self.size = [], 0
        transport = self._transport
        sent = 0
        # Twisted's own: what it still has to write comes first.
        if transport.connected and not (transport.disconnecting or transport._tempDataBuffer or transport.dataBuffer):
            try:
                sent = transport.socket.send(data)
            except OSError:
                sent = 0  # full for now, or gone: Twisted finds out which
        if sent < len(data):
            transport.write(data[sent:])


def _flush_all() -> None:
    due = _due[:]
    _due.clear()
    for outbox in due:
        outbox.flush()
