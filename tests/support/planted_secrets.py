"""Marked texts that must not be in a log, and functions that send them to a server."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from websockets.exceptions import ConnectionClosed

from aleatoria.wire import identity
from tests.support.leaks import leaks
from tests.support.tab import Closed, Talk

PLANTED = {
    "what somebody says in a room": "planted-room-8c1e",
    "what somebody writes to another": "planted-direct-4b7d",
    "a request that is malformed": "planted-request-0f3a",
    "an offer": "planted-offer-77d2",
    "an answer": "planted-answer-19ce",
    "a candidate": "planted-candidate-e5b0",
    "a frame that is malformed": "planted-malformed-3d64",
    "a frame that is binary": "planted-binary-a21f",
    "a frame that is declined": "planted-declined-5e90",
    "what was in a frame whose handler failed": "planted-failed-b8c3",
    "a query": "planted-query-6a1d",
    "a cookie": "planted-cookie-f402",
    "another cookie": "planted-csrf-2ce8",
    "the password of Valkey": "planted-password-91bb",
    "a wrong password": "planted-wrong-d073",
    "the secret of TURN": "planted-turn-c5f6",
    "the key of the server": "planted-key-48ea-" + "x" * 40,
}
SAYS = {name: {"content": text} for name, text in PLANTED.items()}


def description(kind: str, text: str) -> dict[str, str]:
    """Return a session description that holds the text."""
    return {"type": kind, "sdp": f"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns={text}\r\na=candidate:1 1 udp 1 127.0.0.1 9"}


def tokens() -> list[str]:
    """Return a valid token, an expired one and a forged one."""
    good, expired = identity.sign("ana", time.time() + 60), identity.sign("bob", time.time() - 1)
    return [good, expired, f"{good.rpartition('~')[0]}~{expired.rpartition('~')[2]}"]


async def say_all_of_it(ana: Talk, bob: Talk) -> None:
    """Let two users in a call send every kind of frame, valid and invalid, with the marked texts."""
    await ana.sends("chat_message", room="attic", payload=SAYS["what somebody says in a room"])
    await ana.sends("chat_message", toUser="bob", payload=SAYS["what somebody writes to another"])
    await ana.sends("webrtc_offer", toUser="bob", payload=description("offer", PLANTED["an offer"]))
    await bob.sends("webrtc_answer", toUser="ana", payload=description("answer", PLANTED["an answer"]))
    candidate = {"candidate": f"candidate:1 1 udp 1 {PLANTED['a candidate']} 9 typ host", "sdpMid": "0"}
    await ana.sends("webrtc_candidate", toUser="bob", payload={"candidate": candidate})
    await ana.sends("webrtc_candidate", toUser="bob", payload=candidate)
    await ana.sends("webrtc_offer", toUser="nobody", payload=description("offer", PLANTED["an offer"]))
    text = PLANTED["a frame that is malformed"]
    for frame in (text, f'{{"type": "{text}', f'{{"type": 7, "room": "{text}"}}', f'["{text}"]', f'{{"{text}": 1}}'):
        await ana.sends_text(frame)
    await ana.sends_text(json.dumps({"type": "chat_message", "payload": text * 5000}))
    declined = PLANTED["a frame that is declined"]
    await ana.sends(declined, room="{}", messageId=declined)
    for kind in ("chat_message", "join_room", "webrtc_offer", "get_direct_messages", "get_recent_messages", "hangup"):
        await ana.sends(kind, room=f"{declined} {{}}", toUser=f"{declined}\n", payload={"withUser": declined})
        await ana.sends(kind, room="attic", toUser="bob", payload={"limit": declined, "sdp": 7, "content": [declined]})
    await ana.sends("hello", payload={"events": [declined], "token": declined})
    for one in (ana, bob):
        await one.heard()


async def come_with_proofs(make: Callable[..., Any], page: dict[str, str], proofs: list[str]) -> int:
    """Connect with each token in each way, and with marked cookies. Returns how often the server sent `welcome`."""
    welcomed = 0
    cookies = f"csrftoken={PLANTED['another cookie']}; sessionid={PLANTED['a cookie']}"
    for proof in proofs:
        for headers, subprotocols in (
            ({"authorization": f"Bearer {proof}"}, ()),
            ({}, ("aleatoria.v1", f"bearer.{proof}")),
            ({"cookie": f"aleatoria_guest={proof}; {cookies}"}, ()),
        ):
            query = f"room=attic&token={proof}"
            async with make("ana", query=query, headers=page | headers, subprotocols=subprotocols) as ana:
                with suppress(Closed, ConnectionClosed):
                    await ana.asks("hello", "welcome")
                    welcomed += 1
    return welcomed


def nothing_of_it(log: str, proofs: list[str]) -> None:
    """Assert that a log holds no marked text, no part of a token, and nothing that the leak detector finds."""
    secrets = [*PLANTED.values(), *(part for proof in proofs for part in proof.split("~"))]
    assert [text for text in secrets if text in log] == []
    assert leaks(log) == []
