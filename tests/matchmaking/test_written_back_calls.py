"""A Valkey that has lost everything learns from each process what the users of its sockets are doing, and no more."""

import time
from typing import Any

import pytest
import redis

from aleatoria.node import Node
from matchmaking.store import pool
from matchmaking.store.pool import ValkeyPool
from tests.conftest import MakeTab
from tests.support.calls import OFFER, meet, role_of, signals
from tests.support.here import here, link
from tests.support.tab import Tab

WAITING, LEASES, PAIRS, CALLERS = pool.KEYS


async def forgets(keys: redis.Redis) -> None:
    """Valkey loses everything, and this process writes what it knows."""
    keys.flushall()
    await here().callers.renew()


def left(keys: Any, user: str) -> float:
    """Return for how many seconds a user counts as alive."""
    return float(keys.zscore(LEASES, user)) - time.time()


async def test_a_call_is_written_back_with_its_roles_and_leases(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await forgets(keys)
        assert keys.hgetall(PAIRS) == {b"ana": b"bob", b"bob": b"ana"}
        assert keys.smembers(CALLERS) == {b"ana"}
        assert all(40 < left(keys, user) <= 45 for user in ("ana", "bob"))
        assert all(keys.ttl(key) > 3500 for key in (LEASES, PAIRS, CALLERS))
        await signals(ana, bob, "webrtc_offer", OFFER)


async def test_the_roles_of_one_who_has_asked_again_are_written_back(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        for one, role in ((ana, "impolite"), (bob, "polite")):
            await one.sends("request_random_peer")
            assert (await role_of(one))[0] == role
        await forgets(keys)
        assert keys.smembers(CALLERS) == {b"ana"}


async def test_one_who_waits_is_written_back(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana:
        await ana.asks("request_random_peer", "no_peer_available")
        await forgets(keys)
        assert keys.smembers(WAITING) == {b"ana"}
        assert 40 < left(keys, "ana") <= 45
        assert all(keys.ttl(key) > 3500 for key in (WAITING, LEASES))


async def test_one_whose_connection_is_lost_has_time_to_come_back_to_a_call_that_is_written_back(
    tab: MakeTab, keys: redis.Redis
) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await bob.closes(1006)
        await forgets(keys)
        assert 40 < left(keys, "ana") <= 45
        assert 25 < left(keys, "bob") <= 30
        async with tab("bob") as again:
            await again.sends("request_random_peer")
            assert await role_of(again) == ("polite", "ana")


async def hangs_up(holder: Tab, other: Tab, peer: Tab) -> None:
    await holder.sends("hangup", toUser=peer.user)
    await peer.hears("hangup")


async def hangs_up_in_another_tab(holder: Tab, other: Tab, peer: Tab) -> None:
    await other.sends("hangup", toUser=peer.user)
    await peer.hears("hangup")
    await other.heard()


async def is_left(holder: Tab, other: Tab, peer: Tab) -> None:
    await peer.sends("hangup", toUser=holder.user)
    await holder.hears("hangup")


@pytest.mark.parametrize("end", [hangs_up, hangs_up_in_another_tab, is_left])
async def test_a_call_that_is_over_is_not_written_back(tab: MakeTab, keys: redis.Redis, end: Any) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("bob") as other:
        await meet(ana, bob)
        await end(bob, other, ana)
        await bob.heard()
        await forgets(keys)
        assert not keys.exists(*pool.KEYS)


@pytest.mark.parametrize("kind", ["request_random_peer", "user_available_webrtc"])
async def test_one_who_waits_no_longer_is_not_written_back(tab: MakeTab, keys: redis.Redis, kind: str) -> None:
    async with tab("ana") as ana:
        await ana.sends(kind)
        await ana.sends("user_unavailable_webrtc")
        await ana.heard()
        await forgets(keys)
        assert not keys.exists(*pool.KEYS)


async def test_only_those_who_are_taken_for_dead_are_written_back(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        # In another process ana has gone on to cleo. The events about that are on their way to this one.
        elsewhere = ValkeyPool(link(), time.time)
        await elsewhere.offer("cleo")
        assert (await elsewhere.request("ana", "bob")).peer == "cleo"
        await here().callers.renew()
        assert keys.hgetall(PAIRS) == {b"ana": b"cleo", b"cleo": b"ana"}


# Which of a user's sockets speaks for them


async def test_a_tab_speaks_no_longer_for_one_who_has_gone_on_in_another_process(
    tab: MakeTab, there: Node, tab_there: MakeTab, keys: redis.Redis
) -> None:
    async with tab("ana") as ana, tab("bob") as old, tab_there("bob") as new:
        await meet(ana, old)
        await new.heard()
        await new.sends("request_random_peer")
        assert await role_of(new) == ("polite", "ana")
        await old.heard()
        assert {one.user for one in here().callers.standings()} == {"ana"}
        await new.closes(1006)
        await here().callers.renew()
        assert left(keys, "bob") <= 30


@pytest.mark.parametrize("code", [1000, 1006])
async def test_nothing_is_left_of_a_tab_that_held_a_side(tab: MakeTab, code: int) -> None:
    ana, bob = tab("ana"), tab("bob")
    async with ana, bob:
        await meet(ana, bob)
        assert here().callers.holders.keys() == {"ana", "bob"}
        for one in (ana, bob):
            await one.closes(code)
    assert here().callers.holders == {}


async def test_a_lost_tab_that_does_not_hold_the_call_shortens_no_lease(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as holder, tab("bob") as other:
        await meet(ana, holder)
        await other.closes(1006)
        assert left(keys, "bob") > 40


async def test_a_tab_that_has_given_the_side_away_is_not_assigned_a_call(tab: MakeTab) -> None:
    calls = "/ws/matchmaking"
    async with tab("ana") as ana, tab("bob", path=calls) as old, tab("bob", path=calls) as new:
        for waiting in (old, new):
            await waiting.sends("user_available_webrtc")
            await waiting.asks("fence", "error")
        await ana.sends("request_random_peer")
        assert await role_of(ana) == ("impolite", "bob")
        assert await role_of(new) == ("polite", "ana")
        await old.asks("fence", "error")
