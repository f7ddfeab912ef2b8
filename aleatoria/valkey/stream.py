"""A connection that redis-py has opened, read and written in bulk.

redis-py does TLS, the password and the database. It takes a coroutine for each answer and a task for each write, where
one read brings the answers to many commands: reading in bulk takes a quarter off the cost of a room message. The
streams and the parser of a redis-py connection have no public names, so requirements.txt pins its version.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from hiredis import pack_command
from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError

_READ_SIZE = 65536


class Stream:
    """Sends commands over one connection, and reads their answers."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._out: asyncio.StreamWriter = connection._writer  # type: ignore[assignment]
        self._in: asyncio.StreamReader = connection._reader  # type: ignore[assignment]
        self._parser: Any = connection._parser._reader  # type: ignore[attr-defined]

    def send(self, commands: Iterable[tuple[Any, ...]]) -> None:
        """Send all of `commands`. This does not wait: a deadline on the answers notices a connection that hangs."""
        self._out.write(b"".join([pack_command(command) for command in commands]))

    async def answers(self) -> list[Any]:
        """Wait for answers and return all that have come in, errors included; ConnectionError on a lost connection."""
        parser = self._parser
        while True:
            data = await self._in.read(_READ_SIZE)
            if not data:
                raise RedisConnectionError("Connection closed by server.")
            parser.feed(data)
            found = []
            while (answer := parser.gets(False)) is not NOT_ENOUGH_DATA:
                if isinstance(answer, RedisConnectionError):
                    raise answer
                found.append(answer)
            if found:
                return found
