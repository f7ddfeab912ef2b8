"""The same tab over a real WebSocket, to a server in a process of its own."""

import asyncio
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.tab import PATIENCE, Closed, Denied, Talk, query_for

LOST = 1006


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
    ) -> None:
        self.user = user
        self.protocol: str | None = None
        query = query_for(user, room) if query is None else query
        self._uri = url.replace("http", "ws", 1) + f"{path}?{query}"
        self._options: dict[str, Any] = {
            "additional_headers": headers or {},
            "subprotocols": [Subprotocol(name) for name in subprotocols] or None,
        }
        self._receive_buffer = receive_buffer
        self._connection: ClientConnection | None = None

    @property
    def connection(self) -> ClientConnection:
        assert self._connection is not None
        return self._connection

    async def __aenter__(self) -> Self:
        try:
            self._connection = await connect(
                self._uri,
                sock=self._narrow_socket() if self._receive_buffer else None,
                proxy=None,
                compression=None,
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
        """A text frame of these bytes, be they UTF-8 or not."""
        await self.connection.send(data, text=True)

    async def sends_bytes(self, data: bytes) -> None:
        """A binary frame."""
        await self.connection.send(data)

    async def sends_fragments(self, texts: Iterable[str]) -> None:
        """One text message in several frames."""
        await self.connection.send(texts)

    async def hears_text(self) -> str:
        try:
            return str(await self.connection.recv())
        except ConnectionClosed as closed:
            raise Closed(closed.rcvd.code if closed.rcvd else LOST) from None

    async def hears_close(self) -> int:
        """The code with which the server closes, whatever it says before; 1006 when it says nothing."""
        while True:
            try:
                await asyncio.wait_for(self.hears_text(), PATIENCE)
            except Closed as closed:
                return closed.code

    def _narrow_socket(self) -> socket.socket:
        """Connected, with a buffer that was small before the peers agreed on a window."""
        where = urlsplit(self._uri)
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        narrow.connect((where.hostname, where.port))
        return narrow
