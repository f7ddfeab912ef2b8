"""A connection of a client, and how what it receives is recorded."""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.recording.transcript import MASKS
from tests.support.processes import PATIENCE

if TYPE_CHECKING:
    from tests.recording.host import Host


class Connection:
    """One WebSocket connection: what it has received, and how that is recorded."""

    def __init__(self, host: "Host", name: str) -> None:
        self.name = name
        self.cursor = ""
        """The cursor of the last history that this connection received."""
        self.is_open = False
        """Whether the connection is open, as far as the recorder has read."""
        self.user = ""
        """The user id of a connection that has said hello."""
        self._host = host
        self._connection: ClientConnection | None = None
        self._heard: list[str] = []

    @property
    def connection(self) -> ClientConnection:
        assert self._connection is not None, f"{self.name} is not connected"
        return self._connection

    def records(self, sign: str, text: str) -> None:
        self._host.transcript.adds(self.name, sign, text)

    async def connects(self, uri: str, headers: Mapping[str, str], subprotocols: Iterable[str]) -> None:
        """Open the connection and record how the server answers the handshake."""
        shown = "".join(f"  {name}: {value}" for name, value in headers.items())
        offered = f"  ({', '.join(subprotocols)})" if subprotocols else ""
        where = urlsplit(uri)
        self.records(">", f"GET {where.path}?{where.query}{offered}{shown}")
        try:
            self._connection = await connect(
                uri,
                additional_headers=headers,
                subprotocols=[Subprotocol(name) for name in subprotocols] or None,
                compression=None,
                proxy=None,
                max_size=None,
                max_queue=None,
                ping_interval=None,
                open_timeout=PATIENCE,
                close_timeout=PATIENCE,
            )
        except InvalidStatus as error:
            self.records("<", f"HTTP {error.response.status_code}")
            return
        self.is_open = True
        self._host.clients.append(self)
        self.records("<", f"HTTP 101  ({self.connection.subprotocol})")
        await self._host.settles(self)

    def steps_aside(self) -> None:
        """From now on record nothing of this connection."""
        self._host.clients.remove(self)

    def steps_back(self) -> None:
        """Record again, also what has been received in the meantime."""
        self._host.clients.append(self)

    def _leaves(self) -> None:
        self.is_open = False
        self._host.clients.remove(self)

    async def fences(self) -> None:
        """Receive everything that the server has sent to this connection up to now."""
        self._heard = await self._hears_out()

    def records_heard(self) -> None:
        """Write down what this connection has received since the last time."""
        heard, self._heard = self._heard, []
        for line in heard:
            self._host.transcript.adds(self.name, line[0], line[2:])

    def _records_once(self, heard: list[str]) -> None:
        lines = [f"{self.name} {line[:2]}{self._host.transcript.masked(line[2:])}" for line in heard]
        self._host.transcript.lines += dict.fromkeys(lines)

    async def _hears_out(self) -> list[str]:
        before, self._heard = self._heard, []
        fence = f"fence {next(self._host.fences)}"
        with suppress(ConnectionClosed):
            await self.connection.send(json.dumps({"type": "fence", "messageId": fence}))
        while self.is_open:
            await self._receives()
            if f'"inReplyTo":"{fence}"' in self._heard[-1]:
                self._heard.pop()
                break
        heard, self._heard = self._heard, []
        return before + heard

    async def _receives(self) -> None:
        """Wait for one frame, or for the end of the connection."""
        try:
            frame = await asyncio.wait_for(self.connection.recv(), PATIENCE)
        except ConnectionClosed as closed:
            self._leaves()
            end = f"{closed.rcvd.code} {closed.rcvd.reason}" if closed.rcvd else "(the connection is cut)"
            self._heard.append(f"x {end}".rstrip())
            return
        self._heard.append(f"< {frame}" if isinstance(frame, str) else f"< (binary) {frame!r}")
        if isinstance(frame, str):
            self._notes(frame)

    def _notes(self, frame: str) -> None:
        """Remember what the script may want to refer to."""
        if found := MASKS["cursor"].search(frame[-200:]):
            self.cursor = found[0]
        if found := re.match(r'\{"type":"welcome",.*"userId":"([^"]*)"', frame):
            self.user = found[1]
        if found := re.match(r'\{"type":"chat_message",[^{]*"messageId":"([^"]*)","createTime":"([^"]*)"', frame):
            self._host.created.setdefault(found[1], found[2])
