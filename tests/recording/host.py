"""One server as the script sees it, over WebSocket and HTTP."""

import asyncio
import http.client
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import count, cycle
from urllib.parse import urlsplit

from tests.recording.client import Client
from tests.recording.connection import Connection
from tests.recording.transcript import TOKEN, Transcript
from tests.recording.witness import Witness
from tests.support.processes import PATIENCE, ServerProcess

TAB = "'"
"""What the name of a connection ends with that is the second one of its user."""


class Host:
    """One server as the script sees it."""

    def __init__(self, process: ServerProcess, transcript: Transcript) -> None:
        self.process = process
        self.transcript = transcript
        self.clients: list[Connection] = []
        """The open connections, apart from the witness's."""
        self.created: dict[str, str] = {}
        """The `createTime` of each chat message by its `messageId`."""
        self.fences = count(1)
        self._witnesses: Iterator[Witness] = iter(())

    async def enters(
        self,
        name: str,
        *,
        path: str = "/ws",
        query: str | None = None,
        room: str = "",
        headers: Mapping[str, str] | None = None,
        subprotocols: Iterable[str] = (),
    ) -> Client:
        """Connect.

        Without a `query` the user id is the name of the connection, without the `'` that marks a second tab.
        """
        if query is None:
            query = f"userId={name.removesuffix(TAB)}" + (f"&room={room}" if room else "")
        client = Client(self, name)
        uri = f"{self.process.url.replace('http', 'ws', 1)}{path}?{query}"
        await client.connects(uri, headers or {}, subprotocols)
        return client

    async def asks(
        self,
        method: str,
        path: str,
        body: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        shows_headers: bool = False,
    ) -> http.client.HTTPMessage:
        """Send an HTTP request; record the status and the body, and the answer's headers too when `shows_headers`.

        Returns the headers of the answer.
        """
        return await asyncio.to_thread(self._asks, method, path, body, headers or {}, shows_headers=shows_headers)

    async def opens_session(self, name: str) -> str:
        """Return the token of a new guest."""
        headers = await self.asks("POST", "/api/session", json.dumps({"name": name}))
        token = TOKEN.search(headers["Set-Cookie"])
        assert token is not None
        return token[0]

    async def settles(self, actor: Connection | None = None) -> None:
        """Record everything that the last action of `actor` leads to, for all open connections."""
        if actor is not None and actor.is_open:
            await actor.fences()
        await self.is_delivered()
        for client in list(self.clients):
            await client.fences()
        for client in dict.fromkeys([*([actor] if actor else []), *self.clients]):
            client.records_heard()

    @asynccontextmanager
    async def watched(self, *witnesses: Mapping[str, str]) -> AsyncIterator[None]:
        """Keep the connections of the witnesses open, each with its headers.

        They take turns, because a rate limit counts for each connection.
        """
        opened = [await Witness.connect(self.process.url, number, each) for number, each in enumerate(witnesses)]
        self._witnesses = cycle(opened)
        try:
            yield
        finally:
            for connection in (*(one.connection for one in opened), *(client.connection for client in self.clients)):
                connection.transport.abort()

    async def is_delivered(self) -> None:
        """Returns when everything that was published so far has been delivered."""
        await next(self._witnesses).writes_to_itself(f"witness {next(self.fences)}")

    def _asks(
        self, method: str, path: str, body: str, headers: Mapping[str, str], *, shows_headers: bool
    ) -> http.client.HTTPMessage:
        where = urlsplit(self.process.url)
        connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body or None, dict(headers))
            response = connection.getresponse()
            content = response.read().decode()
        finally:
            connection.close()
        shown = "".join(f"  {name}: {value}" for name, value in headers.items() if not name.startswith("Sec-"))
        self.transcript.adds("http", ">", f"{method} {path}{shown}  {body}".rstrip())
        self.transcript.adds("http", "<", f"{response.status} {response.reason if shows_headers else ''}".rstrip())
        if shows_headers:
            for name, value in response.headers.items():
                self.transcript.adds("http", "<", f"{name}: {self._without_accidents(name, value, content)}")
        if not content.lstrip().startswith("<"):  # a page, which is no part of the protocol
            for line in content.splitlines():
                self.transcript.adds("http", "<", line)
        return response.headers

    def _without_accidents(self, name: str, value: str, content: str) -> str:
        """Return a header's value as it is recorded."""
        if name.lower() == "x-request-id":
            return re.sub(r"^[0-9a-f]{8}$", "<request>", value)
        if name.lower() == "content-length" and value == str(len(content.encode())):
            return "<as the body>"
        return value
