"""What a client of the script does."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from tests.recording.connection import Connection
from tests.support.processes import PATIENCE


class Client(Connection):
    """One WebSocket connection of the script. After each action everything that it leads to is recorded."""

    async def sends(self, frame: str | bytes) -> None:
        """Send a text frame, or a binary one, and record what everybody receives because of it."""
        self.records(">", frame if isinstance(frame, str) else f"(binary) {frame!r}")
        with suppress(ConnectionClosed):  # what the server said before is still to be read
            await self.connection.send(frame)
        await self._host.settles(self)

    async def sends_text_of(self, data: bytes) -> None:
        """Send a text frame whose bytes need not be UTF-8."""
        self.records(">", f"(text) {data!r}")
        await self.connection.send(data, text=True)
        await self._host.settles(self)

    async def sends_fragments(self, *parts: str) -> None:
        """Send one text in several frames."""
        self.records(">", f"(in {len(parts)} fragments) {''.join(parts)}")
        await self.connection.send(parts)
        await self._host.settles(self)

    async def sends_often(self, times: int, frame: str) -> None:
        """Send a frame many times in one go.

        How many of them are answered in which way depends on the speed of the machine. So each distinct answer is
        recorded once, and nothing else of this connection.
        """
        self.records(">", f"({times} times) {frame}")
        with suppress(ConnectionClosed):
            for _ in range(times):
                await self.connection.send(frame)
        heard = await self._hears_out()
        await self._host.is_delivered()
        if self.is_open:
            heard += await self._hears_out()
        self._records_once(heard)
        await self._host.settles()

    async def sends_head_first(self, frame: str) -> None:
        """Send the beginning of a frame, and the rest of it unless the server closes the connection at once.

        A server that closes while it is sent more resets the connection, and its close frame is lost.
        """
        self.records(">", f"(the head first) {frame}")
        data, head = Frame(Opcode.TEXT, frame.encode()).serialize(mask=True), 20
        self.connection.transport.write(data[:head])
        for _ in range(2):  # the server reads the head while it answers the first at the latest
            await self._host.is_delivered()
        if self.connection.state is State.OPEN:
            self.connection.transport.write(data[head:])
        await self._host.settles(self)

    async def puts(self, data: bytes, what: str) -> None:
        """Write bytes to the TCP connection that are no frame a client may send; `what` describes them."""
        self.records(">", f"({what})")
        self.connection.transport.write(data)
        await self.is_closed()

    async def pings(self, data: bytes) -> None:
        """Send a ping and wait for the pong."""
        self.records(">", f"(ping) {data!r}")
        await asyncio.wait_for(await self.connection.ping(data), PATIENCE)
        self.records("<", f"(pong) {data!r}")

    async def hears(self, count: int = 1) -> None:
        """Wait for frames that none of the connections has asked for just now."""
        while len(self._heard) < count:
            await self._receives()
        await self._host.settles()

    async def waits(self) -> None:
        """Wait for one such frame, and for nothing that other connections receive."""
        await self._receives()

    async def is_closed(self) -> None:
        """Wait until the server closes this connection."""
        while self.is_open:
            await self._receives()
        self.records_heard()

    async def closes(self, code: int = 1000) -> None:
        """Close the connection with a close frame."""
        self._leaves()
        await self.connection.close(code)
        self.records(">", f"(close {code})")

    async def drops(self) -> None:
        """Cut the TCP connection without a close frame."""
        self._leaves()
        self.records(">", "(the connection is lost)")
        self.connection.transport.abort()

    async def reads_late(self, sender: "Client", batches: Iterable[list[str]]) -> None:
        """Read nothing while another connection sends all of these, and then read on until the server closes this one.

        How much still arrives depends on the machine, so only the close is recorded.
        """
        self.records(">", f"(reads nothing while {sender.name} sends much)")
        self.connection.transport.pause_reading()
        for batch in batches:
            for frame in batch:
                await sender.connection.send(frame)
            for _ in batch:
                await sender._receives()
        self.connection.transport.resume_reading()
        sender._heard.clear()
        while self.is_open:
            await self._receives()
            self._heard = [text for text in self._heard if text.startswith("x ")]
        self.records_heard()
        await self._host.settles()
