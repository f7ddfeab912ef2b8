"""Valkey goes away while people wait and call; and comes back."""

from contextlib import AsyncExitStack
from typing import Any

import pytest
import redis

from aleatoria.valkey.health import State
from matchmaking.store.memory_pool import MemoryPool
from matchmaking.store.pool import Standing, ValkeyPool
from tests.conftest import MakeTab
from tests.support.calls import ANSWER, OFFER, meet, role_of, signals
from tests.support.here import link
from tests.support.outages import OUTAGES, Do, mortal, valkey_process
from tests.support.processes import ValkeyProcess
from tests.support.waiting import until

__all__ = ["mortal", "valkey_process"]  # fixtures


def assert_nobody_is_booked_twice(client: redis.Redis) -> Any:
    """The calls in Valkey, which must be symmetric and apart from the pool."""
    calls: Any = client.hgetall("{available:webrtc}:pairs")
    assert all(calls[peer] == user != peer for user, peer in calls.items())
    assert not client.smembers("available:webrtc") & set(calls)
    leased = set(client.zrange("{available:webrtc}:leases", 0, -1))
    assert leased == client.smembers("available:webrtc") | set(calls)
    assert len(client.smembers("{available:webrtc}:callers")) * 2 == len(calls)
    return calls


@OUTAGES
async def test_calls_and_the_pool_go_on_in_memory_and_are_written_back(
    tab: MakeTab, mortal: ValkeyProcess, leave: Do, back: Do
) -> None:
    async with AsyncExitStack() as stack:
        ana, bob = [await stack.enter_async_context(tab(name)) for name in ("ana", "bob")]
        await meet(ana, bob)
        waiting = [await stack.enter_async_context(tab(f"w{n}", path="/ws/matchmaking")) for n in range(100)]
        for one in waiting:
            await one.sends("user_available_webrtc")
            await one.asks("fence", "error")
        leave(mortal)
        await signals(ana, bob, "webrtc_offer", OFFER)
        await until(State.DOWN, 3)
        await signals(bob, ana, "webrtc_answer", ANSWER)
        async with tab("cleo", path="/ws/matchmaking") as cleo:
            await cleo.sends("request_random_peer")
            role, peer = await role_of(cleo)
            assert role == "impolite"
            met = waiting[int(peer[1:])]
            assert await role_of(met) == ("polite", "cleo")
            await signals(cleo, met, "webrtc_offer", OFFER)
            back(mortal)
            await until(State.UP, 3)
            await signals(met, cleo, "webrtc_answer", ANSWER)
            await signals(ana, bob, "webrtc_offer", OFFER)
            calls = assert_nobody_is_booked_twice(mortal.client)
            assert calls == {b"ana": b"bob", b"bob": b"ana", b"cleo": peer.encode(), peer.encode(): b"cleo"}
            assert len(mortal.client.smembers("available:webrtc")) == 99
        assert (await met.hears("hangup"))["payload"] == {"reason": "disconnected"}
        for one in waiting:
            await one.asks("fence", "error")


async def test_who_leaves_during_an_outage_is_gone_after_it(tab: MakeTab, mortal: ValkeyProcess) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("cleo", path="/ws/matchmaking") as cleo:
        await meet(ana, bob)
        await cleo.sends("user_available_webrtc")
        await cleo.asks("fence", "error")
        mortal.kill()
        await until(State.DOWN, 2)
        await signals(ana, bob, "hangup", {})
        await cleo.sends("user_unavailable_webrtc")
        await cleo.asks("fence", "error")
        mortal.start()
        await until(State.UP, 2)
        await cleo.asks("fence", "error")
        assert (await ana.asks("webrtc_offer", "error", toUser="bob", payload=OFFER))["code"] == "not_matched"
        assert not mortal.client.exists("available:webrtc", "{available:webrtc}:pairs", "{available:webrtc}:leases")


# Two processes that were islands: each knows only its own users.


@pytest.fixture
async def islands(tab: MakeTab) -> tuple[ValkeyPool, MemoryPool, MemoryPool]:
    """The pool they come back to, and what each of two processes has in memory."""
    now = 1000.0
    return ValkeyPool(link(), lambda: now), MemoryPool(lambda: now), MemoryPool(lambda: now)


async def come_back(shared: ValkeyPool, island: MemoryPool) -> set[tuple[str, str]]:
    """Write an island back; who is told that a call with whom is over."""
    ended = set()
    for standing in island.take_all():
        parted, held = await shared.restore(standing)
        if parted.peer:
            ended.add((parted.peer, standing.user))
        if not held:
            ended.add((standing.user, standing.peer))
    return ended


ANA_WITH_BOB, BOB_WITH_ANA = Standing("ana", "bob", "impolite"), Standing("bob", "ana", "polite")


async def test_a_call_between_two_islands_that_both_remember_goes_on(
    islands: tuple[ValkeyPool, MemoryPool, MemoryPool], mortal: ValkeyProcess
) -> None:
    shared, one, other = islands
    one.remember([ANA_WITH_BOB])
    other.remember([BOB_WITH_ANA])
    assert await come_back(shared, one) == set()
    assert await come_back(shared, other) == set()
    assert assert_nobody_is_booked_twice(mortal.client) == {b"ana": b"bob", b"bob": b"ana"}
    assert (await shared.request("ana", "")).role == "impolite"


@pytest.mark.parametrize("first", [0, 1], ids=["ana's process first", "bob's process first"])
@pytest.mark.parametrize("kept", [True, False], ids=["data kept", "data lost"])
async def test_one_who_has_found_another_meanwhile_is_not_booked_twice(
    islands: tuple[ValkeyPool, MemoryPool, MemoryPool], mortal: ValkeyProcess, first: int, *, kept: bool
) -> None:
    shared, one, other = islands
    if kept:
        await shared.offer("bob")
        await shared.request("ana", "")
    one.remember([ANA_WITH_BOB])
    other.remember([BOB_WITH_ANA])
    await one.offer("cleo")
    assert (await one.request("ana", "bob")).peer == "cleo"
    told: set[tuple[str, str]] = set()
    for island in (one, other) if first == 0 else (other, one):
        told |= await come_back(shared, island)
    assert ("bob", "ana") in told
    assert assert_nobody_is_booked_twice(mortal.client) == {b"ana": b"cleo", b"cleo": b"ana"}


@pytest.mark.parametrize("first", [0, 1], ids=["ana's process first", "bob's process first"])
async def test_one_who_waits_again_meanwhile_waits_and_the_other_is_told(
    islands: tuple[ValkeyPool, MemoryPool, MemoryPool], mortal: ValkeyProcess, first: int
) -> None:
    shared, one, other = islands
    one.remember([ANA_WITH_BOB])
    other.remember([BOB_WITH_ANA])
    await one.offer("ana")
    told: set[tuple[str, str]] = set()
    for island in (one, other) if first == 0 else (other, one):
        told |= await come_back(shared, island)
    assert ("bob", "ana") in told
    assert assert_nobody_is_booked_twice(mortal.client) == {}
    assert mortal.client.smembers("available:webrtc") == {b"ana"}
