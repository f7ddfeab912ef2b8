"""Bring two tabs into a random call, and send signals between them."""

import time
from typing import Any

import redis

from tests.support.tab import Talk
from tests.support.waiting import soon

OFFER = {"type": "offer", "sdp": "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n"}
ANSWER = {"type": "answer", "sdp": "v=0\r\no=- 2 2 IN IP4 0.0.0.0\r\n"}
CANDIDATE = {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}
LEASES = "{available:webrtc}:leases"


async def role_of(tab: Talk) -> tuple[str, str]:
    """The role and the peer that the next frame assigns."""
    payload = (await tab.hears("assign_role"))["payload"]
    return payload["role"], payload["peerId"]


async def meet(asking: Talk, waiting: Talk) -> None:
    """Return when the two are in a call. Nobody else waits for one."""
    await waiting.sends("user_available_webrtc")
    await waiting.hears_nothing()
    await asking.sends("request_random_peer")
    assert await role_of(asking) == ("impolite", waiting.user)
    assert await role_of(waiting) == ("polite", asking.user)


async def signals(sender: Talk, receiver: Talk, kind: str, payload: dict[str, Any]) -> None:
    """Send a signal and check that the receiver gets exactly this."""
    await sender.sends(kind, toUser=receiver.user, payload=payload)
    heard = await receiver.hears(kind)
    assert (heard["fromUser"], heard["toUser"], heard["payload"]) == (sender.user, receiver.user, payload)


async def is_missed(user: str, keys: redis.Redis) -> None:
    """Return when the lease has become as short as that of a user who has lost the connection."""
    await soon(lambda: (keys.zscore(LEASES, user) or 0) < time.time() + 31)
