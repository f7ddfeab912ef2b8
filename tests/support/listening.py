"""A subscriber apart from any link, and what it has heard. A module that imports the fixture `listening` has one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest_asyncio
import redis
from redis.asyncio.connection import AbstractConnection

from aleatoria.valkey.subscriber import Subscriber
from tests.support.processes import PATIENCE, ValkeyProcess

A, B, C = b"channel a", b"channel b", b"channel c"


class Listening:
    """A subscriber, what it has heard, and the errors that it reported."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, bytes]] = []
        self.broken: list[Exception] = []
        self.subscriber = Subscriber(on_broken=self.broken.append)
        self.subscriber.on_message = lambda channel, data: self.heard.append((channel, data))

    async def stops(self) -> None:
        """Return when it no longer reads, for whatever reason."""
        reader = self.subscriber._reader
        assert reader is not None
        assert (await asyncio.wait([reader], timeout=PATIENCE))[0]

    async def hears(self, client: redis.Redis, channel: bytes, data: bytes) -> bool:
        """Publish, and return whether it has been heard."""
        client.publish(channel, data)
        await self.subscriber.ping(PATIENCE)
        return (channel, data) in self.heard


async def reconnect(one: Listening, process: ValkeyProcess) -> AbstractConnection:
    """Let a subscriber resume on a new connection, which the test closes."""
    connection = process.address.connection()
    await connection.connect()  # type: ignore[no-untyped-call]
    await one.subscriber.resume(connection)
    return connection


@asynccontextmanager
async def listening_to(process: ValkeyProcess) -> AsyncIterator[Listening]:
    """A subscriber that is connected to this Valkey and subscribed to nothing."""
    connection = process.address.connection()
    await connection.connect()  # type: ignore[no-untyped-call] # redis-py's
    one = Listening()
    await one.subscriber.resume(connection)
    yield one
    one.subscriber.drop()
    await connection.disconnect(nowait=True)


@pytest_asyncio.fixture
async def listening(keys: redis.Redis, valkey_process: ValkeyProcess) -> AsyncIterator[Listening]:
    """A subscriber on the Valkey of the test run."""
    async with listening_to(valkey_process) as one:
        yield one
