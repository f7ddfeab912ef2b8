"""A tab over a real WebSocket, to a server in a process of its own."""

import asyncio
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.support.tab import LOST, PATIENCE, Closed, Denied, Talk, query_for


def narrow_socket(host: str, port: int, receive_buffer: int) -> socket.socket:
    """Return a connected socket whose receive buffer was made small before the TCP window was agreed on."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    narrow.connect((host, port))
    return narrow


class Wire(Talk):
    """A tab of the server at `url`. With `receive_buffer` its own side of the connection holds no more bytes."""

    def __init__(
        self,
        url: str,
        user: str,
        *,
        path: str = "/ws",
        query: str | None = None,
        room: str = "",
        headers: dict[str, str] | None = None,
        subprotocols: tuple[str, ...] = (),
        receive_buffer: int = 0,
        compression: str | None = None,
    ) -> None:
        self.user = user
        self.protocol: str | None = None
        query = query_for(user, room) if query is None else query
        self._uri = url.replace("http", "ws", 1) + f"{path}?{query}"
        self._options: dict[str, Any] = {
            "additional_headers": headers or {},
            "subprotocols": [Subprotocol(name) for name in subprotocols] or None,
            "compression": compression,
        }
        self._receive_buffer = receive_buffer
        self._connection: ClientConnection | None = None

    @property
    def connection(self) -> ClientConnection:
        assert self._connection is not None
        return self._connection

    async def __aenter__(self) -> Self:
        where, size = urlsplit(self._uri), self._receive_buffer
        try:
            self._connection = await connect(
                self._uri,
                sock=narrow_socket(str(where.hostname), where.port or 80, size) if size else None,
                proxy=None,
                max_size=None,
                ping_interval=None,
                open_timeout=PATIENCE,
                close_timeout=PATIENCE,
                **self._options,
            )
        except InvalidStatus as error:
            if error.response.status_code == 403:
                raise Denied from None
            raise
        self.protocol = self._connection.subprotocol
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self.connection.close()
        else:
            self.drops()  # a goodbye to a server that is stuck would only hide the error

    async def closes(self, code: int = 1000) -> None:
        """Close with a close frame, and wait for the server's."""
        await self.connection.close(code)

    def drops(self) -> None:
        """Cut the TCP connection, without a close frame."""
        self.connection.transport.abort()

    async def sends_text(self, text: str) -> None:
        await self.connection.send(text)

    async def sends_text_bytes(self, data: bytes) -> None:
        """Send a text frame with these bytes, which need not be UTF-8."""
        await self.connection.send(data, text=True)

    async def sends_bytes(self, data: bytes) -> None:
        """Send a binary frame."""
        await self.connection.send(data)

    async def sends_fragments(self, texts: Iterable[str]) -> None:
        """Send one text message in several frames."""
        await self.connection.send(texts)

    async def pings(self) -> None:
        """Send a ping, and return when the pong has arrived."""
        await asyncio.wait_for(await self.connection.ping(), PATIENCE)

    async def hears_text(self) -> str:
        try:
            return str(await self.connection.recv())
        except ConnectionClosed as closed:
            raise Closed(closed.rcvd.code if closed.rcvd else LOST) from None
