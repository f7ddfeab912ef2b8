"""Random calls: who meets whom, what each of them hears, and how a call ends."""

from typing import Any

import pytest
import redis

from aleatoria.valkey.health import State
from tests.conftest import MakeTab
from tests.support.here import here, link
from tests.support.tab import Tab
from tests.valkey.test_outage import until

OFFER = {"type": "offer", "sdp": "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n"}
ANSWER = {"type": "answer", "sdp": "v=0\r\no=- 2 2 IN IP4 0.0.0.0\r\n"}
CANDIDATE = {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}


async def role_of(tab: Tab) -> tuple[str, str]:
    """The role and the peer that the next frame assigns."""
    payload = (await tab.hears("assign_role"))["payload"]
    return payload["role"], payload["peerId"]


async def meet(asking: Tab, waiting: Tab) -> None:
    """The two are in a call."""
    await waiting.sends("user_available_webrtc")
    await waiting.hears_nothing()
    await asking.sends("request_random_peer")
    assert await role_of(asking) == ("impolite", waiting.user)
    assert await role_of(waiting) == ("polite", asking.user)


async def signals(sender: Tab, receiver: Tab, kind: str, payload: dict[str, Any]) -> None:
    """The receiver hears exactly what the sender signals."""
    await sender.sends(kind, toUser=receiver.user, payload=payload)
    heard = await receiver.hears(kind)
    assert heard["fromUser"] == sender.user
    assert heard["toUser"] == receiver.user
    assert heard["payload"] == payload


async def test_two_strangers_meet_talk_part_and_meet_again(tab: MakeTab) -> None:
    async with tab("ana", path="/ws/matchmaking") as ana, tab("bob", path="/ws/matchmaking") as bob:
        for asking, waiting in ((ana, bob), (bob, ana)):
            await waiting.sends("user_available_webrtc")
            # Nothing answers that, so an error to a message of no known type tells when it has been done.
            await waiting.asks("fence", "error")
            await asking.sends("request_random_peer")
            assert await role_of(asking) == ("impolite", waiting.user)
            assert await role_of(waiting) == ("polite", asking.user)
            await signals(asking, waiting, "webrtc_offer", OFFER)
            await signals(waiting, asking, "webrtc_answer", ANSWER)
            await signals(asking, waiting, "webrtc_candidate", CANDIDATE)
            await signals(waiting, asking, "webrtc_candidate", CANDIDATE)
            await signals(asking, waiting, "hangup", {})
            for one in (ana, bob):
                assert (await one.asks("fence", "error"))["code"] == "unknown_type"


async def test_one_who_finds_nobody_waits_so_that_two_who_only_ask_do_meet(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        assert (await ana.asks("request_random_peer", "no_peer_available"))["message"]
        await bob.sends("request_random_peer")
        assert await role_of(bob) == ("impolite", "ana")
        assert await role_of(ana) == ("polite", "bob")


async def test_nobody_meets_himself(tab: MakeTab) -> None:
    async with tab("ana") as ana:
        await ana.sends("user_available_webrtc")
        await ana.asks("request_random_peer", "no_peer_available")
        await ana.asks("request_random_peer", "no_peer_available")


async def test_one_who_is_no_longer_available_is_left_alone(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await bob.sends("user_available_webrtc")
        await bob.sends("user_unavailable_webrtc")
        await bob.hears_nothing()
        assert not keys.exists("available:webrtc", "{available:webrtc}:leases")
        await ana.asks("request_random_peer", "no_peer_available")


async def test_asking_again_in_a_call_keeps_it_and_repeats_the_role(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        for one, role, peer in ((ana, "impolite", "bob"), (bob, "polite", "ana")):
            await one.sends("request_random_peer", payload={"currentPeerId": "somebody-else"})
            assert await role_of(one) == (role, peer)
        await ana.hears_nothing()
        await bob.hears_nothing()


async def test_one_who_skips_gets_another_and_the_skipped_hears_it(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("cleo") as cleo:
        await meet(ana, bob)
        await cleo.sends("user_available_webrtc")
        await cleo.hears_nothing()
        await ana.sends("request_random_peer", payload={"currentPeerId": "bob"})
        assert await role_of(ana) == ("impolite", "cleo")
        assert await role_of(cleo) == ("polite", "ana")
        hangup = await bob.hears("hangup")
        assert hangup["fromUser"] == "ana"
        assert hangup["payload"] == {"reason": "skipped"}


async def test_the_skipped_is_not_met_again_at_once(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await ana.asks("request_random_peer", "no_peer_available", payload={"currentPeerId": "bob"})
        await bob.hears("hangup")
        await bob.sends("user_available_webrtc")
        await bob.hears_nothing()
        await ana.asks("request_random_peer", "no_peer_available", payload={"currentPeerId": "bob"})
        await ana.sends("request_random_peer")
        assert await role_of(ana) == ("impolite", "bob")


async def test_becoming_available_ends_the_call(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await bob.sends("user_available_webrtc")
        assert (await ana.hears("hangup"))["fromUser"] == "bob"
        await ana.sends("request_random_peer")
        assert await role_of(ana) == ("impolite", "bob")


@pytest.mark.parametrize("code", [1000, 1001, 1005, None])
async def test_a_clean_close_of_the_last_socket_ends_the_call(
    tab: MakeTab, keys: redis.Redis, code: int | None
) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await bob.closes(code)
        hangup = await ana.hears("hangup")
        assert (hangup["fromUser"], hangup["payload"]) == ("bob", {"reason": "disconnected"})
        assert not keys.exists("available:webrtc", "{available:webrtc}:pairs", "{available:webrtc}:leases")


async def test_a_clean_close_of_the_last_socket_leaves_the_pool(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana:
        await ana.sends("user_available_webrtc")
        await ana.hears_nothing()
        assert keys.smembers("available:webrtc") == {b"ana"}
    assert not keys.exists("available:webrtc")


async def test_one_whose_connection_is_lost_comes_back_to_his_call(tab: MakeTab) -> None:
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


async def test_a_ghost_is_not_met(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana:
        keys.sadd("available:webrtc", "ghost", "phantom")
        keys.zadd("{available:webrtc}:leases", {"ghost": 1})
        await ana.asks("request_random_peer", "no_peer_available")
        assert keys.smembers("available:webrtc") == {b"ana"}


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


@pytest.mark.parametrize("kind", ["webrtc_offer", "webrtc_answer", "webrtc_candidate", "hangup"])
async def test_nobody_signals_to_whom_he_is_not_in_a_call_with(tab: MakeTab, kind: str) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("eve") as eve:
        await meet(ana, bob)
        for victim in ("ana", "bob", "eve", "nobody"):
            assert (await eve.asks(kind, "error", toUser=victim, payload={"sdp": "x"}))["code"] == "not_matched"
        await ana.hears_nothing()
        await bob.hears_nothing()
        await eve.hears_nothing()


async def test_a_thousand_signals_to_strangers_are_all_refused(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("eve") as eve:
        await meet(ana, bob)
        for number in range(1000):
            kind = ("webrtc_offer", "webrtc_candidate", "hangup")[number % 3]
            await eve.sends(kind, toUser=("ana", "bob")[number % 2], payload={"sdp": "x", "candidate": "y"})
        refusals = await eve.heard()
        assert [frame["payload"]["code"] for frame in refusals] == ["not_matched"] * 1000
        await ana.hears_nothing()
        await bob.hears_nothing()


async def test_after_a_hangup_nothing_passes_any_more(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await signals(ana, bob, "hangup", {})
        for sender, receiver in ((ana, bob), (bob, ana)):
            refused = await sender.asks("webrtc_offer", "error", toUser=receiver.user, payload=OFFER)
            assert refused["code"] == "not_matched"
            await receiver.hears_nothing()


async def test_open_signalling_passes_between_strangers(tab: MakeTab, settings: Any) -> None:
    settings.SIGNALING_IS_OPEN = True
    async with tab("ana") as ana, tab("bob") as bob:
        await signals(ana, bob, "webrtc_offer", OFFER)
        await signals(bob, ana, "hangup", {})


async def test_roles_are_the_servers_to_give(tab: MakeTab) -> None:
    async with tab("eve") as eve:
        refused = await eve.asks("assign_role", "error", toUser="ana", payload={"role": "polite", "peerId": "eve"})
        assert refused["code"] == "forbidden"


@pytest.mark.parametrize(
    ("kind", "payload", "code"),
    [
        ("webrtc_offer", {"type": "offer", "sdp": "x" * 32769}, "too_large"),
        ("webrtc_answer", {"type": "answer", "sdp": "x" * 32769}, "too_large"),
        ("webrtc_candidate", {"candidate": "x" * 4097}, "too_large"),
        ("webrtc_offer", {"sdp": 5}, "invalid_field"),
    ],
    ids=["offer", "answer", "candidate", "type"],
)
async def test_signals_have_a_size(tab: MakeTab, kind: str, payload: dict[str, object], code: str) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        assert (await ana.asks(kind, "error", toUser="bob", payload=payload))["code"] == code
        await bob.hears_nothing()


async def test_the_largest_signals_pass(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await signals(ana, bob, "webrtc_offer", {"type": "offer", "sdp": "x" * 32768})
        await signals(bob, ana, "webrtc_candidate", {"candidate": "x" * 4096, "sdpMid": None})


async def test_no_key_of_a_call_is_for_ever(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("cleo") as cleo:
        await meet(ana, bob)
        await cleo.sends("user_available_webrtc")
        await cleo.hears_nothing()
        names = {
            b"available:webrtc": b"set",
            b"{available:webrtc}:leases": b"zset",
            b"{available:webrtc}:pairs": b"hash",
            b"{available:webrtc}:callers": b"set",
        }
        for name, kind in names.items():
            assert keys.type(name) == kind
            assert keys.pttl(name) > 0
        assert keys.hgetall("{available:webrtc}:pairs") == {b"ana": b"bob", b"bob": b"ana"}
        assert keys.smembers("{available:webrtc}:callers") == {b"ana"}


async def test_chat_and_calls_have_a_socket_each_where_one_wants(tab: MakeTab) -> None:
    async with tab("ana", path="/ws/chat") as chat, tab("ana", path="/ws/matchmaking") as calls:
        await chat.writes("ana", "to myself")
        assert (await chat.hears("chat_message"))["payload"]["content"] == "to myself"
        assert (await calls.asks("fence", "error"))["code"] == "unknown_type"
        assert (await calls.asks("chat_message", "error", room="attic"))["code"] == "unknown_type"
        assert (await chat.asks("request_random_peer", "error"))["code"] == "unknown_type"


async def test_requests_have_a_rate(tab: MakeTab, settings: Any) -> None:
    settings.RATE_LIMITS = True
    async with tab("ana", path="/ws/matchmaking") as ana:
        for _ in range(5):
            await ana.asks("request_random_peer", "no_peer_available")
        refused = await ana.asks("request_random_peer", "error")
        assert refused["code"] == "rate_limited"
        assert 0 < refused["retryAfter"] <= 0.5


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


async def test_the_end_of_a_call_is_heard_also_where_valkey_refuses_to_write(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        keys.config_set("maxmemory", 1)
        await until(State.READ_ONLY, 3)
        try:
            # As from another process, whose memory is not ours.
            later = (keys.time()[0] + 1) * 1_000_000
            await here().callers.tell_holder("bob", "call.ended", peer="ana", frame='{"type":"hangup"}', at=later)
            await bob.hears("hangup")
            await bob.asks("request_random_peer", "no_peer_available")
        finally:
            keys.config_set("maxmemory", 0)
            await until(State.UP, 3)
