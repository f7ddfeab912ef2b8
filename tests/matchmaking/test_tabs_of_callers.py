"""A caller with several tabs, and one who comes back after the connection was lost: which socket is in the call."""

import redis

from tests.conftest import MakeTab
from tests.support.calls import ANSWER, OFFER, meet, role_of, signals
from tests.support.here import here, link


async def test_a_caller_whose_connection_is_lost_comes_back_to_the_call(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await bob.closes(1006)
        await ana.hears_nothing()
        async with tab("bob") as again:
            await again.sends("request_random_peer")
            assert await role_of(again) == ("polite", "ana")
            await signals(ana, again, "webrtc_offer", OFFER)
            await signals(again, ana, "webrtc_answer", ANSWER)
            await ana.hears_nothing()


async def test_one_who_does_not_come_back_is_given_up(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await bob.closes(1006)
        left = (keys.zscore("{available:webrtc}:leases", "bob") or 0) - keys.time()[0]
        assert 28 < left < 32
        keys.zadd("{available:webrtc}:leases", {"bob": 1})
        link().health.since -= 60  # no outage has just ended
        await here().callers.sweep()
        hangup = await ana.hears("hangup")
        assert (hangup["fromUser"], hangup["payload"]) == ("bob", {"reason": "timeout"})
        await ana.asks("request_random_peer", "no_peer_available")


async def test_of_several_tabs_the_one_that_asked_last_holds_the_call(tab: MakeTab) -> None:
    calls = "/ws/matchmaking"
    async with tab("ana", path=calls) as ana, tab("bob", path=calls) as old, tab("bob", path=calls) as new:
        await old.sends("user_available_webrtc")
        await old.asks("fence", "error")
        await ana.sends("request_random_peer")
        assert await role_of(ana) == ("impolite", "bob")
        assert await role_of(old) == ("polite", "ana")
        await new.sends("request_random_peer")
        assert await role_of(new) == ("polite", "ana")
        await signals(ana, new, "webrtc_offer", OFFER)
        await old.asks("fence", "error")


async def test_closing_a_tab_that_does_not_hold_the_call_changes_nothing(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as holder:
        async with tab("bob"):
            await meet(ana, holder)
        await ana.hears_nothing()
        await signals(ana, holder, "webrtc_offer", OFFER)


async def test_closing_the_tab_that_holds_the_call_leaves_time_to_go_on_in_another(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as holder, tab("bob") as other:
        await meet(ana, holder)
        await holder.closes()
        await ana.hears_nothing()
        await other.heard()
        await other.sends("request_random_peer")
        assert await role_of(other) == ("polite", "ana")


async def test_the_end_of_an_old_socket_does_not_undo_the_new_one(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as old, tab("bob") as new:
        await meet(ana, old)
        await new.heard()
        await new.sends("request_random_peer")
        await role_of(new)
        await old.closes(1006)
        await signals(ana, new, "webrtc_offer", OFFER)


async def test_one_who_withdraws_in_another_tab_is_not_put_back(tab: MakeTab, keys: redis.Redis) -> None:
    calls = "/ws/matchmaking"
    async with tab("ana", path=calls) as holder, tab("ana", path=calls) as other:
        await holder.sends("user_available_webrtc")
        await holder.asks("fence", "error")
        await other.sends("user_unavailable_webrtc")
        await other.asks("fence", "error")
        await holder.asks("fence", "error")
        await here().callers.renew()
        assert not keys.exists("available:webrtc")
