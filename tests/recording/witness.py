"""Find out what has been delivered."""

import asyncio
import json
from collections.abc import Mapping
from typing import NamedTuple, Self

from websockets.asyncio.client import ClientConnection, connect

from tests.support.processes import PATIENCE


class Witness(NamedTuple):
    """A connection that only serves to find out what has been delivered. It is in a room of its own."""

    connection: ClientConnection
    user: str

    @classmethod
    async def connect(cls, url: str, number: int, headers: Mapping[str, str]) -> Self:
        """Connect to the server at `url`."""
        uri = f"{url.replace('http', 'ws', 1)}/ws/chat?userId=witness{number}&room=gallery"
        connection = await connect(
            uri, additional_headers=headers, compression=None, proxy=None, ping_interval=None, open_timeout=PATIENCE
        )
        await connection.send('{"type": "hello"}')
        welcome = json.loads(await asyncio.wait_for(connection.recv(), PATIENCE))
        return cls(connection, welcome["payload"]["userId"])

    async def writes_to_itself(self, mark: str) -> None:
        """Returns when a message to itself has come back."""
        frame = {"type": "chat_message", "toUser": self.user, "payload": {"content": mark}}
        await self.connection.send(json.dumps(frame))
        while mark not in (heard := await asyncio.wait_for(self.connection.recv(decode=True), PATIENCE)):
            assert '"code":"rate_limited"' not in heard, "too few witnesses"
