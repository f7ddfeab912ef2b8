"""The subscribed connection while Valkey hangs, when it is lost, and after a reconnect."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.exceptions import ConnectionError as RedisConnectionError

from aleatoria.valkey import subscriber as module
from tests.support.listening import A, B, C, Listening, listening, listening_to, reconnect
from tests.support.processes import PATIENCE, ValkeyProcess

__all__ = ["listening"]  # a fixture


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ValkeyProcess]:
    """A Valkey that the test may do anything to."""
    with ValkeyProcess(tmp_path) as process:
        yield process


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


async def test_what_is_confirmed_only_after_it_was_unwanted_can_be_wanted_again(
    mortal: ValkeyProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LINGER", 0.05)
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
