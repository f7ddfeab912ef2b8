"""What callers may signal to each other, how much and how often, and what is refused to others."""

import json
from typing import Any

import pytest
import redis

from aleatoria.valkey.health import State
from tests.conftest import MakeTab
from tests.support.calls import OFFER, meet, signals
from tests.support.here import here
from tests.support.waiting import until


@pytest.mark.parametrize("kind", ["webrtc_offer", "webrtc_answer", "webrtc_candidate", "hangup"])
async def test_signals_to_anybody_but_the_peer_are_refused(tab: MakeTab, kind: str) -> None:
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


async def test_chat_and_calls_have_a_socket_each_where_one_wants(tab: MakeTab) -> None:
    async with tab("ana", path="/ws/chat") as chat, tab("ana", path="/ws/matchmaking") as calls:
        await chat.writes("ana", "to myself")
        assert (await chat.hears("chat_message"))["payload"]["content"] == "to myself"
        assert (await calls.asks("fence", "error"))["code"] == "unknown_type"
        assert (await calls.asks("chat_message", "error", room="attic"))["code"] == "unknown_type"
        assert (await chat.asks("request_random_peer", "error"))["code"] == "unknown_type"


async def test_requests_have_a_rate(tab: MakeTab, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RATE_LIMITS = True
    # While a slow machine sends the requests, the clock stands still, so that the bucket does not refill.
    monkeypatch.setattr("aleatoria.wire.reception.monotonic", lambda: 1000.0)
    async with tab("ana", path="/ws/matchmaking") as ana:
        for _ in range(5):
            await ana.asks("request_random_peer", "no_peer_available")
        refused = await ana.asks("request_random_peer", "error")
        assert refused["code"] == "rate_limited"
        assert refused["retryAfter"] == 0.5


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


SIGNALS = ["webrtc_offer", "webrtc_answer", "webrtc_candidate", "hangup"]


async def test_a_description_is_measured_in_bytes(tab: MakeTab) -> None:
    def offer(sdp: str) -> str:
        message = {"type": "webrtc_offer", "toUser": "bob", "payload": {"sdp": sdp}}
        return json.dumps(message, ensure_ascii=False)

    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await ana.sends_text(offer("\u00e9" * 16384))
        assert (await bob.hears("webrtc_offer"))["payload"]["sdp"] == "\u00e9" * 16384
        await ana.sends_text(offer("\u00e9" * 16384 + "x"))
        assert (await ana.hears("error"))["payload"]["code"] == "too_large"
        await bob.hears_nothing()


@pytest.mark.parametrize("kind", SIGNALS)
@pytest.mark.parametrize("openly", [True, False], ids=["open", "matched"])
async def test_a_signal_is_to_somebody(tab: MakeTab, settings: object, kind: str, *, openly: bool) -> None:
    settings.SIGNALING_IS_OPEN = openly  # type: ignore[attr-defined] # pytest-django's
    async with tab("ana") as ana:
        for fields in ({}, {"toUser": ""}):
            assert (await ana.asks(kind, "error", **fields))["code"] == "invalid_field"


async def test_only_the_tab_that_holds_the_call_hears_its_signals(tab: MakeTab) -> None:
    calls = "/ws/matchmaking"
    async with tab("ana") as ana, tab("bob") as holder, tab("bob", path=calls) as other:
        await meet(ana, holder)
        for kind in SIGNALS:
            await signals(ana, holder, kind, {"sdp": "x", "candidate": "y"})
        await other.asks("fence", "error")


async def test_a_hangup_by_another_tab_reaches_the_peer_and_ends_the_call(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as holder, tab("bob", path="/ws/matchmaking") as other:
        await meet(ana, holder)
        await signals(other, ana, "hangup", {})
        refused = await holder.asks("webrtc_offer", "error", toUser="ana", payload={"sdp": "x"})
        assert refused["code"] == "not_matched"
