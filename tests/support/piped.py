"""A pipeline apart from any link, and what it reports. A module that imports the fixture `piped` has one."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest_asyncio
import redis
from redis.asyncio.connection import AbstractConnection

from aleatoria.valkey.pipeline import Argument, PendingCommand, Pipeline
from tests.support.processes import ValkeyProcess


class Piped:
    """A pipeline, its number of flights, and the errors that it reported."""

    def __init__(self, connection: AbstractConnection) -> None:
        self.broken: list[Exception] = []
        self.refused: list[Exception] = []
        self.flights = 0
        self.pipeline = Pipeline(connection, on_broken=self.broken.append, on_refused=self.refused.append)
        self._send = self.pipeline._stream.send
        self.pipeline._stream.send = self._count  # type: ignore[method-assign]

    def execute(self, *command: Argument) -> "asyncio.Future[Any]":
        return self.pipeline.execute(PendingCommand(command))

    def post(self, *command: Argument) -> None:
        self.pipeline.post(PendingCommand(command))

    def _count(self, commands: Iterable[tuple[Any, ...]]) -> None:
        self.flights += 1
        self._send(commands)


@pytest_asyncio.fixture
async def piped(keys: redis.Redis, valkey_process: ValkeyProcess) -> AsyncIterator[Piped]:
    """A pipeline on an empty Valkey."""
    connection = valkey_process.address.connection()
    await connection.connect()  # type: ignore[no-untyped-call] # redis-py's
    piped = Piped(connection)
    yield piped
    piped.pipeline.close()
    await connection.disconnect()
