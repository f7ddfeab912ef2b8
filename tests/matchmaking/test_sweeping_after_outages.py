"""Nobody is given up right after an outage, and those who are lost during one are."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest

from aleatoria.node import Node
from aleatoria.valkey.health import State
from tests.conftest import MakeTab
from tests.support.calls import OFFER, meet, role_of, signals
from tests.support.here import here, link
from tests.support.planted import call
from tests.support.processes import ValkeyProcess
from tests.support.waiting import until
from tests.valkey.test_outage import mortal, valkey_process

__all__ = ["mortal", "valkey_process"]  # fixtures

LEASES = "{available:webrtc}:leases"


async def test_for_ten_seconds_after_an_outage_nobody_is_given_up(node: Node, mortal: ValkeyProcess) -> None:
    # Their process has not yet renewed their leases, which have run out during the outage.
    call(mortal.client, "ana", "bob")
    mortal.client.zadd(LEASES, {"ana": 1, "bob": 1})
    node.link.health.since -= 60
    mortal.kill()
    await until(State.DOWN, 2)
    node.link.health.since -= 60  # the outage lasts a minute
    mortal.start()
    await until(State.UP, 3)
    for seconds in (0, 9):
        node.link.health.since -= seconds
        await node.callers.sweep()
        assert mortal.client.hlen("{available:webrtc}:pairs") == 2
    node.link.health.since -= 1
    await node.callers.sweep()
    assert mortal.client.hlen("{available:webrtc}:pairs") == 0


async def test_for_ten_seconds_after_the_start_nobody_is_given_up(node: Node, mortal: ValkeyProcess) -> None:
    # As after the start of all processes at once: those with the users' sockets may be slower.
    call(mortal.client, "ana", "bob")
    mortal.client.zadd(LEASES, {"ana": 1, "bob": 1})
    await node.callers.sweep()
    assert mortal.client.hlen("{available:webrtc}:pairs") == 2


async def test_for_ten_seconds_after_an_outage_began_nobody_is_given_up(
    tab: MakeTab, mortal: ValkeyProcess, settings: Any
) -> None:
    settings.CALL_HOLD = timedelta(0)
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        link().health.since -= 60
        mortal.kill()
        await until(State.DOWN, 2)
        await bob.closes(1006)
        await here().callers.sweep()
        await ana.hears_nothing()
        link().health.since -= 10
        await here().callers.sweep()
        assert (await ana.hears("hangup"))["payload"] == {"reason": "timeout"}


async def test_one_who_is_lost_during_an_outage_is_given_up_during_it(
    tab: MakeTab, mortal: ValkeyProcess, settings: Any
) -> None:
    settings.CALL_HOLD = timedelta(seconds=0.3)
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        mortal.kill()
        await until(State.DOWN, 2)
        link().health.since -= 60
        await bob.closes(1006)
        hangup = await ana.hears("hangup")
        assert (hangup["fromUser"], hangup["payload"]) == ("bob", {"reason": "timeout"})
        await ana.asks("request_random_peer", "no_peer_available")


@pytest.fixture
def soon(settings: Any) -> None:
    """Short leases. Used before the node is made, whose chores read how short."""
    settings.CALL_LEASE = timedelta(seconds=3)


@pytest.mark.usefixtures("soon")
async def test_a_call_and_a_place_in_the_pool_outlive_their_leases_during_an_outage(
    tab: MakeTab, mortal: ValkeyProcess
) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("cleo") as cleo, tab("dan") as dan:
        await meet(ana, bob)
        await cleo.asks("request_random_peer", "no_peer_available")
        mortal.kill()
        await until(State.DOWN, 2)
        link().health.since -= 60
        await asyncio.sleep(4.5)  # a lease, and the sweep after it
        await signals(ana, bob, "webrtc_offer", OFFER)
        await dan.sends("request_random_peer")
        assert await role_of(dan) == ("impolite", "cleo")
        assert await role_of(cleo) == ("polite", "dan")


async def test_one_who_was_lost_before_an_outage_comes_back_to_their_call_during_it(
    tab: MakeTab, mortal: ValkeyProcess
) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await bob.closes(1006)
        mortal.kill()
        await until(State.DOWN, 2)
        async with tab("bob") as again:
            await again.sends("request_random_peer")
            assert await role_of(again) == ("polite", "ana")
            await signals(ana, again, "webrtc_offer", OFFER)
            mortal.start()
            await until(State.UP, 3)
            await signals(again, ana, "webrtc_answer", OFFER)
            for user in ("ana", "bob"):
                assert 20 < (mortal.client.zscore(LEASES, user) or 0) - time.time() <= 45


async def test_those_who_have_hung_up_do_not_wait_when_an_outage_begins(tab: MakeTab, mortal: ValkeyProcess) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("cleo") as cleo:
        await meet(ana, bob)
        await signals(ana, bob, "hangup", {})
        mortal.kill()
        await until(State.DOWN, 2)
        await cleo.asks("request_random_peer", "no_peer_available")
        for one, other in ((ana, "bob"), (bob, "ana")):
            refused = await one.asks("webrtc_offer", "error", toUser=other, payload=OFFER)
            assert refused["code"] == "not_matched"


async def test_an_outage_that_is_back_before_all_is_written_back_loses_nobody(
    tab: MakeTab, mortal: ValkeyProcess
) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("cleo") as cleo:
        await meet(ana, bob)
        await cleo.asks("request_random_peer", "no_peer_available")
        mortal.client.flushall()
        mortal.kill()
        await until(State.DOWN, 2)
        again = asyncio.Event()

        async def is_gone_again() -> None:
            if not again.is_set():
                again.set()
                mortal.kill()

        link().health.on_back.insert(0, is_gone_again)
        mortal.start()
        await asyncio.wait_for(again.wait(), 5)
        await until(State.DOWN, 3)
        await signals(ana, bob, "webrtc_offer", OFFER)
        mortal.start()
        await until(State.UP, 3)
        await signals(bob, ana, "webrtc_answer", OFFER)
        assert mortal.client.hgetall("{available:webrtc}:pairs") == {b"ana": b"bob", b"bob": b"ana"}
        assert mortal.client.smembers("available:webrtc") == {b"cleo"}
        for one in (ana, bob, cleo):
            await one.hears_nothing()


async def test_all_is_written_back_before_anybody_can_ask_anew(tab: MakeTab, mortal: ValkeyProcess) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("cleo") as cleo:
        await meet(ana, bob)
        await cleo.asks("request_random_peer", "no_peer_available")
        mortal.client.flushall()
        mortal.kill()
        await until(State.DOWN, 2)
        asking = []

        async def asks() -> None:
            calls = here().callers.calls
            asking.append(asyncio.create_task(calls.request(user="dan", skipping="")))

        link().health.on_back.insert(0, asks)
        mortal.start()
        await until(State.UP, 3)
        assert (await asking[0]).peer == "cleo"
        await signals(ana, bob, "webrtc_offer", OFFER)
