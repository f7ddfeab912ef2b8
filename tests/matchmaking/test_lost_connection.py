"""Calls of those whose TCP connection is cut, on real servers: they resume, or the other one is told."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import redis

from tests.support.processes import PATIENCE, ValkeyProcess
from tests.support.serving import Serving
from tests.support.tab import Talk, strictly
from tests.support.wire import Wire

LEASES = "{available:webrtc}:leases"
HOLD = 2.0
OFFER = {"type": "offer", "sdp": "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n"}
ANSWER = {"type": "answer", "sdp": "v=0\r\no=- 2 2 IN IP4 0.0.0.0\r\n"}
CANDIDATE = {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}


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


async def role_of(tab: Talk) -> tuple[str, str]:
    payload = (await tab.hears("assign_role"))["payload"]
    return payload["role"], payload["peerId"]


async def meet(asking: Talk, waiting: Talk) -> None:
    await waiting.sends("user_available_webrtc")
    await waiting.hears_nothing()
    await asking.sends("request_random_peer")
    assert await role_of(asking) == ("impolite", waiting.user)
    assert await role_of(waiting) == ("polite", asking.user)


async def signals(sender: Talk, receiver: Talk, kind: str, payload: dict[str, Any]) -> None:
    await sender.sends(kind, toUser=receiver.user, payload=payload)
    heard = await receiver.hears(kind)
    assert (heard["fromUser"], heard["payload"]) == (sender.user, payload)


async def is_cut_off(tab: Wire, keys: redis.Redis) -> None:
    """Returns when the server has noticed."""
    tab.drops()
    await is_missed(tab.user, keys)


async def is_missed(user: str, keys: redis.Redis) -> None:
    """Returns when the lease is the time in which he may come back."""
    await becomes_true(lambda: (keys.zscore(LEASES, user) or 0) < time.time() + 31)


async def becomes_true(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


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


async def test_one_who_was_waiting_keeps_his_place(urls: list[str], bob: Wire, keys: redis.Redis) -> None:
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
