"""The metrics of the pool and of random calls."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.conftest import MakeTab
from tests.support.calls import ANSWER, CANDIDATE, OFFER, meet, signals
from tests.support.here import here, link
from tests.support.metrics import Watch
from tests.support.tab import Tab


async def test_those_who_wait_and_those_who_call_are_counted(tab: MakeTab, growth: Watch) -> None:
    names = ("aleatoria_pool_users", "aleatoria_calls", "aleatoria_matches_total", "aleatoria_match_wait_seconds_count")
    async with tab("ana") as ana, tab("bob") as bob, tab("cleo") as cleo:
        since = await growth()
        await cleo.asks("request_random_peer", "no_peer_available")
        assert await since.of(*names) == [1, 0, 0, 0]
        await cleo.sends("user_unavailable_webrtc")
        await cleo.hears_nothing()
        await meet(ana, bob)
        assert await since.of(*names) == [0, 1, 1, 1]
        (waited,) = await since.of("aleatoria_match_wait_seconds_sum")
        assert 0 < waited < 5


@pytest.mark.parametrize("kind", ["request_random_peer", "user_available_webrtc"])
async def test_a_wait_is_measured_from_when_it_began(tab: MakeTab, growth: Watch, kind: str) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        since = await growth()
        await ana.asks("request_random_peer", "no_peer_available")
        await asyncio.sleep(0.3)
        await ana.sends(kind)
        await ana.heard()
        await bob.asks("request_random_peer", "assign_role")
        await ana.hears("assign_role")
        (waited,) = await since.of("aleatoria_match_wait_seconds_sum")
        assert 0.3 <= waited < 5


async def test_what_the_two_of_a_call_signal_is_counted(tab: MakeTab, growth: Watch) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        since = await growth()
        await signals(ana, bob, "webrtc_offer", OFFER)
        await signals(bob, ana, "webrtc_answer", ANSWER)
        await signals(ana, bob, "webrtc_candidate", CANDIDATE)
        assert await since.of("aleatoria_signals_total") == [3]


async def hangs_up(ana: Tab, bob: Tab) -> None:
    await bob.sends("hangup", toUser="ana")


async def skips(ana: Tab, bob: Tab) -> None:
    await bob.asks("request_random_peer", "no_peer_available", payload={"currentPeerId": "ana"})


async def goes(ana: Tab, bob: Tab) -> None:
    await bob.closes()


@pytest.mark.parametrize(
    ("reason", "end"), [("hangup", hangs_up), ("skipped", skips), ("disconnected", goes)], ids=lambda it: str(it)[:12]
)
async def test_the_end_of_a_call_is_counted_by_its_reason(
    tab: MakeTab, growth: Watch, reason: str, end: Callable[[Tab, Tab], Any]
) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        since = await growth()
        await end(ana, bob)
        await ana.hears("hangup")
        assert await since.of(f"aleatoria_hangups_total{{{reason}}}", "aleatoria_calls") == [1, -1]


async def test_one_who_does_not_come_back_is_counted_as_a_timeout(
    tab: MakeTab, growth: Watch, keys: redis.Redis
) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        since = await growth()
        await bob.closes(1006)
        keys.zadd("{available:webrtc}:leases", {"bob": 1})
        link().health.since -= 60  # no outage has just ended
        await here().callers.sweep()
        await ana.hears("hangup")
        # The user who is gone is told too, wherever they may be.
        (told,) = await since.of("aleatoria_hangups_total{timeout}")
        assert told in (1, 2)
