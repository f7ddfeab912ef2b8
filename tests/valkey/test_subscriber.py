"""The subscribed connection against a real Valkey: what it hears, and what it stays subscribed to."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
import redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError

from aleatoria.valkey import subscriber as module
from aleatoria.valkey.subscriber import Subscriber
from tests.support.processes import PATIENCE, ValkeyProcess

A, B, C = b"channel a", b"channel b", b"channel c"


class Listening:
    """A subscriber of its own, what it has heard, and how it failed."""

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
    """Let one go on over a new connection, which the test ends."""
    connection = process.address.connection()
    await connection.connect()  # type: ignore[no-untyped-call]
    await one.subscriber.resume(connection)
    return connection


@asynccontextmanager
async def listening_to(process: ValkeyProcess) -> AsyncIterator[Listening]:
    """One that is connected, and subscribed to nothing."""
    connection = process.address.connection()
    await connection.connect()  # type: ignore[no-untyped-call] # redis-py's
    one = Listening()
    await one.subscriber.resume(connection)
    yield one
    one.subscriber.drop()
    await connection.disconnect(nowait=True)


@pytest_asyncio.fixture
async def listening(keys: redis.Redis, valkey_process: ValkeyProcess) -> AsyncIterator[Listening]:
    """One on the Valkey of the test run."""
    async with listening_to(valkey_process) as one:
        yield one


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ValkeyProcess]:
    """A Valkey that the test may do anything to."""
    with ValkeyProcess(tmp_path) as process:
        yield process


@pytest.fixture
def short_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """A linger that is over soon."""
    monkeypatch.setattr(module, "LINGER", 0.05)


def subscribers(client: redis.Redis, channel: bytes) -> int:
    """How many connections Valkey has that are subscribed to the channel."""
    return int(client.pubsub_numsub(channel)[0][1])


async def is_given_up(client: redis.Redis, channel: bytes) -> None:
    """Return when nobody is subscribed to the channel any more; fail when that does not happen."""
    deadline = time.monotonic() + PATIENCE / 4
    while subscribers(client, channel):
        assert time.monotonic() < deadline, f"{channel!r} is subscribed to for ever"
        await asyncio.sleep(0.01)


async def test_what_is_wanted_is_heard_and_nothing_else(listening: Listening, keys: redis.Redis) -> None:
    await listening.subscriber.want(A, B)
    assert await listening.hears(keys, A, b"one")
    assert await listening.hears(keys, B, b"two")
    assert not await listening.hears(keys, C, b"three")
    assert listening.heard == [(A, b"one"), (B, b"two")]


@pytest.mark.usefixtures("short_linger")
async def test_what_is_no_longer_wanted_is_unsubscribed_after_the_linger(
    listening: Listening, keys: redis.Redis
) -> None:
    await listening.subscriber.want(A, B)
    assert (subscribers(keys, A), listening.subscriber.hears(A)) == (1, True)
    listening.subscriber.unwant(A)
    await is_given_up(keys, A)
    assert not listening.subscriber.hears(A)
    assert not await listening.hears(keys, A, b"too late")
    assert await listening.hears(keys, B, b"still here")


async def test_what_is_no_longer_wanted_stays_subscribed_for_the_linger(
    listening: Listening, keys: redis.Redis
) -> None:
    await listening.subscriber.want(A)
    listening.subscriber.unwant(A)
    await listening.subscriber.want(B)  # the subscriptions are gone through for this
    assert (subscribers(keys, A), listening.subscriber.hears(A)) == (1, True)


@pytest.mark.usefixtures("short_linger")
async def test_what_is_wanted_again_within_the_linger_is_heard_after_it(
    listening: Listening, keys: redis.Redis
) -> None:
    await listening.subscriber.want(A, B)
    listening.subscriber.unwant(A)
    await listening.subscriber.want(A)
    listening.subscriber.unwant(B)
    await is_given_up(keys, B)  # which was unwanted after A, so the linger of A would be over too
    assert subscribers(keys, A) == 1
    assert await listening.hears(keys, A, b"welcome back")


async def test_the_linger_is_about_a_second_from_when_it_was_unwanted_last(
    listening: Listening, keys: redis.Redis
) -> None:
    await listening.subscriber.want(A, B)
    began = time.monotonic()
    listening.subscriber.unwant(A)
    listening.subscriber.unwant(B)
    while time.monotonic() - began < 0.6:
        assert subscribers(keys, B) == 1
        await asyncio.sleep(0.02)
    listening.subscriber.unwant(A)
    await is_given_up(keys, B)
    assert 0.9 < time.monotonic() - began < 4
    assert subscribers(keys, A) == 1


@pytest.mark.usefixtures("short_linger")
async def test_what_is_unwanted_twice_lingers_from_the_second_time(listening: Listening, keys: redis.Redis) -> None:
    await listening.subscriber.want(A, B)
    for _ in range(3):
        listening.subscriber.unwant(A)
        listening.subscriber.unwant(B)
    await is_given_up(keys, A)
    await is_given_up(keys, B)
    await listening.subscriber.want(A)
    assert await listening.hears(keys, A, b"again")


async def test_what_is_unwanted_before_it_is_asked_for_is_not_subscribed_to(
    listening: Listening, keys: redis.Redis
) -> None:
    wanting = asyncio.create_task(listening.subscriber.want(A))
    await asyncio.sleep(0)  # it is asked for at the end of this turn
    listening.subscriber.unwant(A)
    await listening.subscriber.want(B)
    assert (subscribers(keys, A), subscribers(keys, B)) == (0, 1)
    wanting.cancel()


async def test_who_wants_something_of_a_valkey_that_hangs_waits_less_than_a_second(mortal: ValkeyProcess) -> None:
    async with listening_to(mortal) as one:
        mortal.hang()
        began = time.monotonic()
        await one.subscriber.want(A)
        assert 0.4 < time.monotonic() - began < 5  # half a second, on a machine that may be busy
        assert not one.subscriber.hears(A)
        mortal.go_on()
        await one.subscriber.ping(PATIENCE)
        assert await one.hears(mortal.client, A, b"late, but not lost")


async def test_a_ping_that_a_valkey_that_hangs_does_not_answer_fails(mortal: ValkeyProcess) -> None:
    async with listening_to(mortal) as one:
        mortal.hang()
        with pytest.raises(TimeoutError, match="silent"):
            await one.subscriber.ping(0.1)
        mortal.go_on()


async def test_whoever_waits_for_a_confirmation_is_let_go_when_the_connection_is_given_up(
    mortal: ValkeyProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONFIRM_DEADLINE", PATIENCE)
    async with listening_to(mortal) as one:
        mortal.hang()
        wanting = asyncio.create_task(one.subscriber.want(A))
        await asyncio.sleep(0)
        one.subscriber.drop()
        await asyncio.wait_for(wanting, 5)
        mortal.go_on()


async def test_after_a_reconnect_what_is_wanted_is_heard_and_what_was_unwanted_is_not(
    listening: Listening, keys: redis.Redis, valkey_process: ValkeyProcess
) -> None:
    await listening.subscriber.want(A, B)
    listening.subscriber.drop()
    listening.subscriber.unwant(A)
    await listening.subscriber.want(C)
    connection = await reconnect(listening, valkey_process)
    heard = [await listening.hears(keys, channel, b"again") for channel in (A, B, C)]
    await connection.disconnect(nowait=True)
    assert heard == [False, True, True]


@pytest.mark.usefixtures("short_linger")
async def test_what_is_confirmed_only_after_it_was_unwanted_can_be_wanted_again(
    mortal: ValkeyProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONFIRM_DEADLINE", 0.2)
    async with listening_to(mortal) as one:
        mortal.hang()
        await one.subscriber.want(A)
        one.subscriber.unwant(A)
        await one.subscriber.want(B)  # by when that has been given up, the linger of A is over
        mortal.go_on()
        await one.subscriber.ping(PATIENCE)
        await one.subscriber.want(A)
        assert await one.hears(mortal.client, A, b"welcome back")


# The connection


async def test_a_ping_that_was_never_answered_puts_none_out_of_step_that_comes_after_a_reconnect(
    mortal: ValkeyProcess,
) -> None:
    async with listening_to(mortal) as one:
        mortal.hang()
        with pytest.raises(TimeoutError):
            await one.subscriber.ping(0.05)
        one.subscriber.drop()
        mortal.go_on()
        connection = await reconnect(one, mortal)
        await one.subscriber.ping(5)
        await connection.disconnect(nowait=True)


async def test_what_has_come_in_when_the_connection_is_given_up_is_not_handed_on(
    listening: Listening, keys: redis.Redis
) -> None:
    def hears_one(channel: bytes, data: bytes) -> None:
        listening.heard.append((channel, data))
        listening.subscriber.drop()

    listening.subscriber.on_message = hears_one
    await listening.subscriber.want(A)
    with keys.pipeline() as both:
        both.publish(A, b"one")
        both.publish(A, b"two")
        both.execute()
    await listening.stops()
    assert listening.heard == [(A, b"one")]


async def test_a_connection_that_is_lost_is_reported_once_and_at_once(listening: Listening, keys: redis.Redis) -> None:
    await listening.subscriber.want(A)
    keys.client_kill_filter(_type="pubsub")
    await listening.stops()
    assert [type(error) for error in listening.broken] == [RedisConnectionError]


async def test_one_that_was_given_up_is_not_reported(listening: Listening, keys: redis.Redis) -> None:
    await listening.subscriber.want(A)
    listening.subscriber.drop()
    keys.client_kill_filter(_type="pubsub")
    await listening.stops()
    assert listening.broken == []
    with pytest.raises(RedisConnectionError, match="not subscribed"):
        await listening.subscriber.ping(1)


async def test_one_that_is_lost_again_while_it_subscribes_is_no_recovery(mortal: ValkeyProcess) -> None:
    async with listening_to(mortal) as one:
        one.subscriber.drop()
        await one.subscriber.want(A)
        connection = mortal.address.connection()
        await connection.connect()  # type: ignore[no-untyped-call]
        mortal.hang()
        resuming = asyncio.create_task(one.subscriber.resume(connection))
        await asyncio.sleep(0.05)
        assert not resuming.done()
        one.subscriber.drop()
        with pytest.raises(RedisConnectionError, match="lost again"):
            await resuming
        mortal.go_on()
        await connection.disconnect(nowait=True)
