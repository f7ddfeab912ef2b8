"""Processes that Valkey's absence makes islands: each goes on with its own users, and tells them what came of it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from aleatoria.node import Node
from aleatoria.valkey.address import Address
from aleatoria.valkey.health import State
from benchmarks.processes import free_port
from tests.conftest import MakeTab
from tests.matchmaking.test_outage_of_calls import assert_nobody_is_booked_twice
from tests.support.calls import ANSWER, OFFER, meet, role_of, signals
from tests.support.here import here
from tests.support.processes import PATIENCE, ValkeyProcess
from tests.support.tab import Tab
from tests.valkey.test_outage import mortal, valkey_process

__all__ = ["mortal", "valkey_process"]  # fixtures

ORDERS = pytest.mark.parametrize("first", [0, 1], ids=["ana's process first", "bob's process first"])
KEPT = pytest.mark.parametrize("kept", [True, False], ids=["data kept", "data lost"])


async def seen(state: State, *nodes: Node) -> None:
    """Return when all of these see Valkey in this state."""

    async def all_see() -> None:
        while any(node.link.health.state is not state for node in nodes):
            await asyncio.sleep(0.01)

    await asyncio.wait_for(all_see(), PATIENCE)


async def goes_away(process: ValkeyProcess, *nodes: Node, kept: bool = True) -> None:
    """Valkey is gone, with its data or without, and these know."""
    if not kept:
        process.client.flushall()
    process.kill()
    await seen(State.DOWN, *nodes)


async def comes_back(process: ValkeyProcess, first: Node, second: Node) -> None:
    """Valkey is back; the first node has written all back before the second one can reach it."""
    where, second.link.address = second.link.address, Address(host="127.0.0.1", port=free_port())
    process.start()
    await writes_back(first)
    second.link.address = where
    await writes_back(second)


async def writes_back(node: Node) -> None:
    """Return when this node has written back what it knows."""
    is_through = asyncio.Event()

    async def set_it() -> None:
        is_through.set()

    node.link.health.on_back.append(set_it)
    await asyncio.wait_for(is_through.wait(), PATIENCE)


async def hears_of_timeout(tab: Tab, peer: str) -> None:
    hangup = await tab.hears("hangup")
    assert (hangup["fromUser"], hangup["payload"]) == (peer, {"reason": "timeout"})


@ORDERS
@KEPT
async def test_a_call_between_two_islands_goes_on(
    tab: MakeTab, there: Node, tab_there: MakeTab, mortal: ValkeyProcess, first: int, *, kept: bool
) -> None:
    async with tab("ana") as ana, tab_there("bob") as bob:
        await meet(ana, bob)
        nodes = [here(), there]
        await goes_away(mortal, *nodes, kept=kept)
        await comes_back(mortal, nodes[first], nodes[1 - first])
        await ana.hears_nothing()
        await bob.hears_nothing()
        await signals(ana, bob, "webrtc_offer", OFFER)
        await signals(bob, ana, "webrtc_answer", ANSWER)
        assert assert_nobody_is_booked_twice(mortal.client) == {b"ana": b"bob", b"bob": b"ana"}


@ORDERS
@KEPT
async def test_one_whose_peer_has_found_another_meanwhile_is_told_and_the_new_two_are_not(
    tab: MakeTab, there: Node, tab_there: MakeTab, mortal: ValkeyProcess, first: int, *, kept: bool
) -> None:
    async with tab("ana") as ana, tab("cleo") as cleo, tab_there("bob") as bob:
        await meet(ana, bob)
        nodes = [here(), there]
        await goes_away(mortal, *nodes, kept=kept)
        await cleo.asks("request_random_peer", "no_peer_available")
        await ana.sends("request_random_peer", payload={"currentPeerId": "bob"})
        assert await role_of(ana) == ("impolite", "cleo")
        assert await role_of(cleo) == ("polite", "ana")
        await bob.hears_nothing()
        await comes_back(mortal, nodes[first], nodes[1 - first])
        await hears_of_timeout(bob, "ana")
        for one in (ana, bob, cleo):
            await one.hears_nothing()
        await signals(ana, cleo, "webrtc_offer", OFFER)
        await signals(cleo, ana, "webrtc_answer", ANSWER)
        assert assert_nobody_is_booked_twice(mortal.client) == {b"ana": b"cleo", b"cleo": b"ana"}


@ORDERS
async def test_two_who_have_both_left_others_for_one_another_stay_together(
    tab: MakeTab, there: Node, tab_there: MakeTab, mortal: ValkeyProcess, first: int
) -> None:
    async with tab("ana") as ana, tab("cleo") as cleo, tab_there("bob") as bob, tab_there("dan") as dan:
        await meet(ana, bob)
        await meet(cleo, dan)
        nodes = [here(), there]
        await goes_away(mortal, *nodes)
        await cleo.asks("request_random_peer", "no_peer_available", payload={"currentPeerId": "dan"})
        await ana.sends("request_random_peer", payload={"currentPeerId": "bob"})
        assert await role_of(ana) == ("impolite", "cleo")
        assert await role_of(cleo) == ("polite", "ana")
        await comes_back(mortal, nodes[first], nodes[1 - first])
        await hears_of_timeout(bob, "ana")
        await hears_of_timeout(dan, "cleo")
        for one in (ana, bob, cleo, dan):
            await one.hears_nothing()
        await signals(ana, cleo, "webrtc_offer", OFFER)
        assert assert_nobody_is_booked_twice(mortal.client) == {b"ana": b"cleo", b"cleo": b"ana"}


@ORDERS
async def test_one_whose_peer_waits_again_is_told(
    tab: MakeTab, there: Node, tab_there: MakeTab, mortal: ValkeyProcess, first: int
) -> None:
    async with tab("ana") as ana, tab_there("bob") as bob:
        await meet(ana, bob)
        nodes = [here(), there]
        await goes_away(mortal, *nodes)
        await ana.asks("request_random_peer", "no_peer_available", payload={"currentPeerId": "bob"})
        await comes_back(mortal, nodes[first], nodes[1 - first])
        await hears_of_timeout(bob, "ana")
        await ana.hears_nothing()
        await bob.sends("request_random_peer")
        assert await role_of(bob) == ("impolite", "ana")
        assert await role_of(ana) == ("polite", "bob")


@ORDERS
async def test_one_whose_peer_left_meanwhile_is_told(
    tab: MakeTab, there: Node, tab_there: MakeTab, mortal: ValkeyProcess, settings: Any, first: int
) -> None:
    # When bob's process is second it hears nothing of that, and writes the call back as if ana might come back.
    settings.CALL_HOLD = timedelta(seconds=0.5)
    async with tab("ana") as ana, tab_there("bob") as bob:
        await meet(ana, bob)
        nodes = [here(), there]
        await goes_away(mortal, *nodes)
        await ana.closes()
        await bob.hears_nothing()
        await comes_back(mortal, nodes[first], nodes[1 - first])
        for node in nodes:
            node.link.health.since -= 60
        await hears_of_timeout(bob, "ana")
        await bob.asks("request_random_peer", "no_peer_available")
        assert assert_nobody_is_booked_twice(mortal.client) == {}
