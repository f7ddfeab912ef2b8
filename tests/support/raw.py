"""A WebSocket on which tests send any bytes and see every frame."""

import asyncio
import socket
import struct
from collections import deque
from types import TracebackType
from typing import Self

from websockets.client import ClientProtocol
from websockets.frames import Close, Frame, Opcode
from websockets.uri import parse_uri

from tests.support.tab import LOST, PATIENCE, Closed, Talk, query_for
from tests.support.wire import narrow_socket


def framed(payload: str | bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    """Return a frame as a client sends it."""
    data = payload.encode() if isinstance(payload, str) else payload
    return Frame(opcode, data, fin).serialize(mask=True)


def fragments(*parts: str | bytes) -> list[bytes]:
    """Return the frames of one text message in so many parts."""
    opcodes = [Opcode.TEXT, *[Opcode.CONT] * (len(parts) - 1)]
    last = len(parts) - 1
    return [framed(part, opcodes[number], fin=number == last) for number, part in enumerate(parts)]


class Raw(Talk):
    """The client's end of a connection to the server at `url`. Nothing is read until a test asks for it."""

    def __init__(self, url: str, user: str, *, room: str = "", receive_buffer: int = 65536) -> None:
        self.user = user
        self._uri = parse_uri(url.replace("http", "ws", 1) + f"/ws?{query_for(user, room)}")
        self._protocol = ClientProtocol(self._uri)
        self._receive_buffer = receive_buffer
        self._heard: deque[Frame] = deque()

    async def __aenter__(self) -> Self:
        own = narrow_socket(self._uri.host, self._uri.port, self._receive_buffer)
        self._reader, self._writer = await asyncio.open_connection(sock=own)
        self._protocol.send_request(self._protocol.connect())
        self.puts(*self._protocol.data_to_send())
        head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), PATIENCE)
        self._protocol.receive_data(head)
        self._protocol.events_received()
        assert self._protocol.handshake_exc is None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drops()

    def puts(self, *data: bytes) -> None:
        """Write these bytes at once."""
        self._writer.write(b"".join(data))

    async def sends_text(self, text: str) -> None:
        self.puts(framed(text))

    def drops(self) -> None:
        """Cut the TCP connection, without a close frame."""
        self._writer.transport.abort()

    def resets(self) -> None:
        """End the connection with a TCP reset, as a client does that has crashed."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.drops()

    async def sees(self) -> Frame | None:
        """Return the next frame, pongs and closes included; None when the server has ended the connection."""
        while not self._heard:
            try:
                data = await asyncio.wait_for(self._reader.read(65536), PATIENCE)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self._protocol.receive_data(data)
            self._heard.extend(event for event in self._protocol.events_received() if isinstance(event, Frame))
        return self._heard.popleft()

    async def hears_text(self) -> str:
        frame = await self.sees()
        if frame is None:
            raise Closed(LOST)
        if frame.opcode is Opcode.CLOSE:
            raise Closed(Close.parse(frame.data).code)
        assert frame.opcode is Opcode.TEXT
        return bytes(frame.data).decode()
