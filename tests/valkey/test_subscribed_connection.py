"""The subscribed connection when it is lost, given up or replaced."""

import asyncio

import pytest
import redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.support.listening import Listening, listening_to, reconnect
from tests.support.processes import PATIENCE, ValkeyProcess

A, B, C = b"channel a", b"channel b", b"channel c"


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


async def test_one_that_was_replaced_is_not_reported(mortal: ValkeyProcess) -> None:
    async with listening_to(mortal) as one:
        await one.subscriber.want(A)
        replaced, (client,) = one.subscriber._reader, mortal.client.client_list(_type="pubsub")
        connection = await reconnect(one, mortal)
        mortal.client.client_kill_filter(_id=client["id"])
        assert replaced is not None
        assert (await asyncio.wait([replaced], timeout=PATIENCE))[0]
        assert one.broken == []
        assert await one.hears(mortal.client, A, b"one")
        await connection.disconnect(nowait=True)


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
