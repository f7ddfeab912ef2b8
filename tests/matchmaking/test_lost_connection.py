"""Calls of those whose TCP connection is cut, on real servers: they resume, or the other one is told."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import redis

from tests.support.calls import ANSWER, CANDIDATE, OFFER, is_missed, meet, role_of, signals
from tests.support.processes import PATIENCE, ValkeyProcess
from tests.support.serving import Serving
from tests.support.tab import strictly
from tests.support.wire import Wire

HOLD = 2.0


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory, valkey_process: ValkeyProcess) -> Iterator[list[str]]:
    """Two servers with the defaults, and one that gives lost callers up soon."""
    directory: Path = tmp_path_factory.mktemp("lost")
    where = valkey_process.environment
    with (
        Serving(directory / "one", **where) as one,
        Serving(directory / "two", **where) as two,
        Serving(directory / "hasty", CALL_HOLD_SECONDS=str(HOLD), **where) as hasty,
    ):
        yield [one.url, two.url, hasty.url]


@pytest_asyncio.fixture(loop_scope="session")
async def bob(urls: list[str], keys: redis.Redis) -> AsyncIterator[Wire]:
    async with Wire(urls[0], "bob") as tab:
        yield tab


async def is_cut_off(tab: Wire, keys: redis.Redis) -> None:
    """Returns when the server has noticed."""
    tab.drops()
    await is_missed(tab.user, keys)


@pytest.mark.parametrize("way_back", [0, 1], ids=["to the same server", "to another server"])
@pytest.mark.parametrize("role", ["impolite", "polite"])
async def test_one_who_comes_back_resumes_and_the_peer_hears_nothing(
    urls: list[str], bob: Wire, keys: redis.Redis, way_back: int, role: str
) -> None:
    async with Wire(urls[0], "ana") as lost:
        offering, answering = (lost, bob) if role == "impolite" else (bob, lost)
        await meet(offering, answering)
        await signals(offering, answering, "webrtc_offer", OFFER)
        await is_cut_off(lost, keys)
    await bob.sends("webrtc_candidate", toUser="ana", payload=CANDIDATE)  # which nobody is there to hear
    await bob.hears_nothing()
    async with Wire(urls[way_back], "ana") as ana:
        await ana.sends("request_random_peer")
        assert await role_of(ana) == (role, "bob")
        await ana.hears_nothing()
        await bob.hears_nothing()
        await signals(ana, bob, "webrtc_offer", OFFER)
        await signals(bob, ana, "webrtc_answer", ANSWER)
        await signals(bob, ana, "webrtc_candidate", CANDIDATE)
        await signals(ana, bob, "hangup", {})


async def test_one_who_comes_back_before_the_loss_is_noticed_resumes_all_the_same(urls: list[str], bob: Wire) -> None:
    # The old socket is still open when the new one asks, as after a change of networks.
    async with Wire(urls[0], "ana") as lost, Wire(urls[1], "ana") as ana:
        await meet(lost, bob)
        await ana.sends("request_random_peer")
        assert await role_of(ana) == ("impolite", "bob")
        lost.drops()
        await bob.hears_nothing()
        await signals(ana, bob, "webrtc_offer", OFFER)
        await signals(bob, ana, "webrtc_answer", ANSWER)


async def test_a_user_who_was_waiting_still_waits_after_a_lost_connection(
    urls: list[str], bob: Wire, keys: redis.Redis
) -> None:
    async with Wire(urls[0], "ana") as lost:
        await lost.asks("request_random_peer", "no_peer_available")
        await is_cut_off(lost, keys)
    await bob.sends("request_random_peer")
    assert await role_of(bob) == ("impolite", "ana")
    async with Wire(urls[1], "ana") as ana:
        await ana.sends("request_random_peer")
        assert await role_of(ana) == ("polite", "bob")
        await signals(bob, ana, "webrtc_offer", OFFER)


async def test_the_peer_of_one_who_does_not_come_back_is_told_when_the_time_is_up(
    urls: list[str], bob: Wire, keys: redis.Redis
) -> None:
    async with Wire(urls[2], "ana") as lost:
        await meet(lost, bob)
        await is_cut_off(lost, keys)
    cut_off = time.monotonic()
    # Longer than a tab waits otherwise: a server that has just started gives nobody up for ten seconds.
    hangup = strictly(await asyncio.wait_for(bob.hears_text(), PATIENCE))
    assert time.monotonic() - cut_off > HOLD - 0.5
    assert (hangup["type"], hangup["fromUser"], hangup["payload"]) == ("hangup", "ana", {"reason": "timeout"})
    assert keys.keys("*available:webrtc*") == []
    await bob.asks("request_random_peer", "no_peer_available")
