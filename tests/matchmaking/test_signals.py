"""What signals may be, and who hears them."""

import json

import pytest

from tests.conftest import MakeTab
from tests.matchmaking.test_calls import meet, signals

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
