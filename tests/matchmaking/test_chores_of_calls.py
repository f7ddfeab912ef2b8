"""The periodic work of calls, done by the chores of a running node: leases are renewed, the dead are given up."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis

from aleatoria.node import Node
from matchmaking.store import pool
from tests.conftest import MakeTab
from tests.support.calls import OFFER, meet, role_of, signals
from tests.support.here import link

LEASE, HOLD = 3.0, 0.3
LEASES, PAIRS = "{available:webrtc}:leases", "{available:webrtc}:pairs"


@pytest.fixture
def soon(settings: Any) -> None:
    """Short times, in which leases are renewed every second. Used before the node is made, which reads them."""
    settings.CALL_LEASE, settings.CALL_HOLD = timedelta(seconds=LEASE), timedelta(seconds=HOLD)


async def until(condition: Callable[[], bool], within: float) -> None:
    """Return when a condition holds; fail when that takes longer than so many seconds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def an_outage_is_long_past() -> None:
    """A node that has just started gives nobody up."""
    link().health.since -= 60


@pytest.mark.usefixtures("soon")
async def test_leases_are_renewed_before_they_end_and_the_keys_live_on(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("cleo") as cleo:
        await meet(ana, bob)
        await cleo.asks("request_random_peer", "no_peer_available")
        for key in pool.KEYS:
            keys.expire(key, 60)
        before = {user: keys.zscore(LEASES, user) or 0 for user in ("ana", "bob", "cleo")}
        await until(lambda: all((keys.zscore(LEASES, user) or 0) > before[user] for user in before), LEASE - 0.5)
        assert all(LEASE - 1 < (keys.zscore(LEASES, user) or 0) - time.time() <= LEASE for user in before)
        assert all(keys.ttl(key) > 3000 for key in pool.KEYS)


@pytest.mark.usefixtures("soon")
async def test_calls_and_places_in_the_pool_outlive_a_lease(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("cleo") as cleo:
        an_outage_is_long_past()
        await meet(ana, bob)
        await cleo.asks("request_random_peer", "no_peer_available")
        await asyncio.sleep(LEASE + 1.5)  # a lease, and the sweep after it
        await signals(ana, bob, "webrtc_offer", OFFER)
        await cleo.hears_nothing()
        assert keys.smembers("available:webrtc") == {b"cleo"}


@pytest.mark.usefixtures("soon")
async def test_one_who_does_not_come_back_is_given_up_a_second_later(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        an_outage_is_long_past()
        await meet(ana, bob)
        await bob.closes(1006)
        lost = time.monotonic()
        hangup = await ana.hears("hangup")
        assert HOLD - 0.1 < time.monotonic() - lost < HOLD + 3
        assert (hangup["fromUser"], hangup["payload"]) == ("bob", {"reason": "timeout"})
        assert not keys.exists(*pool.KEYS)


@pytest.mark.parametrize("dead", ["ana", "bob"])
async def test_both_of_a_call_hear_that_it_has_timed_out(tab: MakeTab, keys: redis.Redis, dead: str) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        keys.zadd(LEASES, {dead: 1})
        an_outage_is_long_past()
        for one, other in ((ana, "bob"), (bob, "ana")):
            hangup = await one.hears("hangup")
            assert (hangup["fromUser"], hangup["toUser"]) == (other, one.user)
            assert hangup["payload"] == {"reason": "timeout"}
        for one, other in ((ana, "bob"), (bob, "ana")):
            refused = await one.asks("webrtc_offer", "error", toUser=other, payload=OFFER)
            assert refused["code"] == "not_matched"


async def test_one_who_waited_and_is_given_up_hears_of_no_call(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana:
        await ana.asks("request_random_peer", "no_peer_available")
        keys.zadd(LEASES, {"ana": 1})
        an_outage_is_long_past()
        await until(lambda: not keys.exists("available:webrtc"), 3)
        await ana.hears_nothing()


@pytest.mark.usefixtures("soon")
async def test_one_who_was_taken_for_dead_hears_that_their_peer_has_gone_on(
    tab: MakeTab, tab_there: MakeTab, keys: redis.Redis
) -> None:
    async with tab("ana") as ana, tab("cleo") as cleo, tab_there("bob") as bob:
        await meet(ana, bob)
        # As another process does while bob's process stands still and hears nothing.
        pool.QUIT.apply(keys, pool.KEYS, "bob", "inf")
        await cleo.asks("request_random_peer", "no_peer_available")
        await ana.sends("request_random_peer")
        assert await role_of(ana) == ("impolite", "cleo")
        assert await role_of(cleo) == ("polite", "ana")
        hangup = await bob.hears("hangup")
        assert (hangup["fromUser"], hangup["payload"]) == ("ana", {"reason": "timeout"})
        await signals(ana, cleo, "webrtc_offer", OFFER)
        await cleo.hears_nothing()


@pytest.mark.usefixtures("soon")
async def test_one_who_was_taken_for_dead_is_where_they_were(
    tab: MakeTab, there: Node, tab_there: MakeTab, keys: redis.Redis
) -> None:
    async with tab("ana") as ana, tab_there("bob") as bob, tab_there("cleo") as cleo:
        await meet(ana, bob)
        await cleo.asks("request_random_peer", "no_peer_available")
        for user in ("bob", "cleo"):
            pool.QUIT.apply(keys, pool.KEYS, user, "inf")
        await until(lambda: keys.hlen(PAIRS) == 2 and keys.zcard(LEASES) == 3, LEASE)
        await signals(ana, bob, "webrtc_offer", OFFER)
        assert keys.smembers("available:webrtc") == {b"cleo"}
        for one in (ana, bob, cleo):
            await one.hears_nothing()
