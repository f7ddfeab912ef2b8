"""What is told of an earlier call, or comes while another answer is under way, does not change the present one."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.conftest import MakeTab
from tests.support.calls import OFFER, meet, role_of, signals
from tests.support.here import here

FRAME = '{"type":"hangup","fromUser":"bob"}'


def moment(keys: redis.Redis) -> int:
    """Return the time that Valkey knows, in microseconds, as steps of the pool say it."""
    seconds, micros = keys.time()
    return int(seconds) * 1_000_000 + int(micros)


async def test_a_late_pairing_does_not_take_the_place_of_the_call(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        earlier = moment(keys)
        await meet(ana, bob)
        await here().callers.tell_holder("ana", "call.assigned", peer="zoe", at=earlier)
        await ana.hears_nothing()
        await signals(bob, ana, "webrtc_offer", OFFER)


async def test_a_late_end_does_not_end_the_next_call_of_the_same_two(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        earlier = moment(keys)
        await meet(ana, bob)
        await here().callers.tell_holder("ana", "call.ended", peer="bob", frame=FRAME, at=earlier)
        await ana.hears_nothing()
        await signals(bob, ana, "webrtc_offer", OFFER)


async def test_the_end_of_a_call_with_another_peer_does_not_end_this_one(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        later = moment(keys) + 1_000_000
        await here().callers.tell_holder("ana", "call.ended", peer="zoe", frame=FRAME, at=later)
        await ana.hears_nothing()
        await signals(bob, ana, "webrtc_offer", OFFER)


async def test_a_late_withdrawal_does_not_undo_that_one_waits_again(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana:
        earlier = moment(keys)
        await ana.asks("request_random_peer", "no_peer_available")
        await here().callers.tell_holder("ana", "call.withdrawn", at=earlier)
        await ana.hears_nothing()
        assert [(one.user, one.gone) for one in here().callers.standings()] == [("ana", False)]
        # A Valkey that has lost everything is told so.
        keys.flushall()
        await here().callers.renew()
        assert keys.smembers("available:webrtc") == {b"ana"}


@pytest.mark.parametrize("kind", ["webrtc_offer", "webrtc_answer", "webrtc_candidate"])
async def test_a_late_signal_of_the_last_peer_does_not_reach_the_new_call(tab: MakeTab, kind: str) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        frame = f'{{"type":"{kind}","fromUser":"zoe"}}'
        await here().callers.tell_holder("ana", "call.signal", peer="zoe", frame=frame)
        await ana.hears_nothing()


async def test_a_late_signal_does_not_reach_one_who_has_hung_up(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await signals(ana, bob, "hangup", {})
        await here().callers.tell_holder("ana", "call.signal", peer="bob", frame='{"type":"webrtc_offer"}')
        await ana.hears_nothing()


class Slowly:
    """A step of the pool whose answer is on its way until `go_on` is set."""

    def __init__(self, step: Callable[..., Any]) -> None:
        self.done, self.go_on = asyncio.Event(), asyncio.Event()
        self._step = step

    async def __call__(self, **whom: str) -> Any:
        answer = await self._step(**whom)
        self.done.set()
        await self.go_on.wait()
        return answer


@pytest.mark.parametrize("kind", ["request_random_peer", "user_available_webrtc"])
async def test_one_who_is_chosen_while_the_answer_is_under_way_is_in_that_call(
    tab: MakeTab, tab_there: MakeTab, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    calls = here().callers.calls
    step = "request" if kind == "request_random_peer" else "offer"
    slowly = Slowly(getattr(calls, step))
    async with tab("ana") as ana, tab_there("bob") as bob:
        monkeypatch.setattr(calls, step, slowly)
        await ana.sends(kind)
        await slowly.done.wait()
        await bob.sends("request_random_peer")
        assert await role_of(bob) == ("impolite", "ana")
        await bob.heard()
        await here().link.all_heard()
        for _ in range(10):  # turns of the event loop, in which ana's socket hears of it
            await asyncio.sleep(0)
        slowly.go_on.set()
        if step == "request":
            await ana.hears("no_peer_available")
        assert await role_of(ana) == ("polite", "bob")
        await signals(bob, ana, "webrtc_offer", OFFER)
        await signals(ana, bob, "webrtc_answer", OFFER)


async def test_one_who_asks_in_a_new_tab_while_the_old_one_closes_stays_in_the_call(
    tab: MakeTab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tab("ana") as ana, tab("bob") as old, tab("bob") as new:
        await meet(ana, old)
        await new.heard()

        async def looking_takes_a_moment(group: str) -> bool:
            await new.sends("request_random_peer")
            assert await role_of(new) == ("polite", "ana")
            return False

        with monkeypatch.context() as slow:
            slow.setattr(here().layer, "has_members", looking_takes_a_moment)
            await old.closes()
        await ana.hears_nothing()
        await signals(ana, new, "webrtc_offer", OFFER)
