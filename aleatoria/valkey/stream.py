"""A connection to Valkey that redis-py has made, read and written without its detours.

redis-py opens it, with TLS, password and database, and parses with hiredis. But it takes a coroutine for each answer
and a task for each write, where one read brings the answers to many commands. requirements.txt pins it: what is used
here of its inside has no public name.
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
    """Commands out, answers in."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._out: asyncio.StreamWriter = connection._writer  # type: ignore[assignment]
        self._in: asyncio.StreamReader = connection._reader  # type: ignore[assignment]
        self._parser: Any = connection._parser._reader  # type: ignore[attr-defined]

    def send(self, commands: Iterable[tuple[Any, ...]]) -> None:
        """Send them in one go; whoever waits for the answers has a deadline, so nobody waits for this."""
        self._out.write(b"".join([pack_command(command) for command in commands]))

    async def answers(self) -> list[Any]:
        """What has come since the last time, at least one, errors among them; ConnectionError when it is gone."""
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
