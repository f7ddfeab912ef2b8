"""What the subscribed connection hears of a real Valkey: what is wanted, and for a while what no longer is."""

import asyncio
import time

import pytest
import redis

from aleatoria.valkey import subscriber as module
from tests.support.listening import A, B, C, Listening, listening
from tests.support.processes import PATIENCE

__all__ = ["listening"]  # a fixture


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
