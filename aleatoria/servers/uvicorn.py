"""A bounded and quick WebSocket for uvicorn: `uvicorn --ws aleatoria.servers.uvicorn:UvicornSocket`.

uvicorn's own class pauses and resumes reading for each message, parses each one in Python, composes the frame of a
broadcast anew for each receiver, and reports a lost connection as a clean close. What is rare is left to that class and
to its library; docs/decisions/0011-speed.md has the figures.
"""

import asyncio
from contextlib import suppress
from typing import Any, ClassVar

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import OPEN

from aleatoria.servers.frames import frame_of, frame_size, whole_text
from aleatoria.servers.inbox import Inbox
from aleatoria.servers.outbox import CLOSE_HANDSHAKE, FAREWELL_DEADLINE, Flusher, Outbox
from aleatoria.wire.errors import LOST
from aleatoria.wire.output import WRITER

LONGEST_HEAD = 14
"""The largest number of bytes that a frame has before its payload."""


class UvicornSocket(WebSocketsSansIOProtocol):
    """One WebSocket connection, with a bound on what waits in each direction."""

    _flusher: ClassVar[Flusher] = Flusher()
    """Writes the outboxes of all sockets. It belongs to the class, because uvicorn makes the sockets of its one event
    loop itself and has no object to keep it in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.queue: Any = Inbox(self._pause_reading, self._resume_reading)
        self._outbox = Outbox(self._flusher, self._write)
        self._unread = bytearray()
        """The beginning of an incomplete frame. The library gets whole frames only."""

    # In. A whole text between two messages is decoded here, without the library and without pausing the connection.
    # Together with the outbox this halves the cost of a room message.

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.handshake_complete:  # else the library has refused the handshake
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[WRITER] = self._write_text

    def data_received(self, data: bytes) -> None:
        if not self.handshake_initiated:
            super().data_received(data)
        elif self._unread or self.conn.state is not OPEN:
            self._unread += data
            self._take_unread()
        elif (end := self._take(data)) < len(data):
            self._unread += data[end:]

    def _take_unread(self) -> None:
        if self.conn.state is OPEN:
            del self._unread[: self._take(self._unread)]
        elif self.handshake_complete:  # the connection is closing
            super().data_received(bytes(self._unread))
            self._unread.clear()

    def _take(self, data: bytes | bytearray) -> int:
        """Take the whole frames at the beginning of `data`, and return the position where they end."""
        start = 0
        while start < len(data) and self.conn.state is OPEN:
            if not self.frames and (text := whole_text(data, start)) is not None:
                payload, start = text
                self._enqueue(payload, is_text=True)
                continue
            size = frame_size(data, start)
            if size is None or len(data) < start + size <= start + LONGEST_HEAD + self.config.ws_max_size:
                break
            super().data_received(bytes(data[start : start + size]))
            start += size
        return start

    def send_receive_event_to_app(self) -> None:
        payload, self.frames = b"".join(self.frames), []
        self._enqueue(payload, is_text=self.curr_msg_data_type == "text")

    def _enqueue(self, payload: bytes, *, is_text: bool) -> None:
        if self.close_sent:
            return
        event: dict[str, Any] = {"type": "websocket.receive", "bytes": payload}
        if is_text:
            try:
                event = {"type": "websocket.receive", "text": payload.decode()}
            except UnicodeDecodeError:
                pass  # the application answers a binary frame with an error
        self.queue.put_nowait(event)

    async def receive(self) -> Any:
        return await self.queue.get()

    def _pause_reading(self) -> None:
        self.read_paused = True
        self.transport.pause_reading()

    def _resume_reading(self) -> None:
        self.read_paused = False
        self.transport.resume_reading()

    # Out

    def pause_writing(self) -> None:
        super().pause_writing()
        self.queue.pauseProducing()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.queue.resumeProducing()

    async def send(self, message: Any) -> None:
        self._outbox.flush()
        with suppress(ClientDisconnected):  # the application gets an event instead, as on daphne
            await super().send(message)
        if message["type"] == "websocket.accept":
            del self.request, self.response  # some KiB that are not needed any more
            self._take_unread()

    def _write_text(self, text: str) -> bool:
        """Send `text` at the end of this turn of the event loop; False when the write buffer is full."""
        if not self.writable.is_set():
            return False
        self._outbox.put(frame_of(text))
        return True

    def _write(self, data: bytes) -> None:
        if not (self.close_sent or self.transport.is_closing()):
            self.transport.write(data)

    # The end

    def connection_lost(self, exc: Exception | None) -> None:
        if self.conn.close_rcvd is None:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": LOST.number})
        super().connection_lost(exc)

    # A closed transport waits for ever for a client that does not read its write buffer. An aborted one does not wait.

    def shutdown(self) -> None:
        self._outbox.flush()
        if not self.transport.is_closing():  # else the close frame is sent already
            super().shutdown()
        self.loop.call_later(FAREWELL_DEADLINE, self.transport.abort)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        if self.transport.get_write_buffer_size():
            self.loop.call_later(CLOSE_HANDSHAKE, self.transport.abort)
