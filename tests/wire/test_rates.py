"""Each type of message is limited as docs/protocol.md says: through a socket, whatever the table in the code."""

import math
from typing import Any, NamedTuple

import pytest
from pytest_django import Settings

from tests.conftest import MakeTab
from tests.support.protocol import rows
from tests.support.tab import Tab

OTHERS = ("hello", "mark_read", "hangup", "user_available_webrtc", "user_unavailable_webrtc", "poison")
FIELDS: dict[str, dict[str, Any]] = {
    "chat_message": {"room": "attic", "payload": {"content": "hello"}},
    "join_room": {"room": "attic"},
    "leave_room": {"room": "attic"},
    "get_recent_messages": {"room": "attic"},
    "get_direct_messages": {"payload": {"withUser": "bob"}},
    "get_members": {"room": "attic"},
    "typing": {"room": "attic"},
    "mark_read": {"payload": {"withUser": "bob"}},
    "webrtc_offer": {"toUser": "bob"},
    "webrtc_answer": {"toUser": "bob"},
    "webrtc_candidate": {"toUser": "bob"},
    "hangup": {"toUser": "bob"},
}
"""What a message of a type holds, where that is more than the type. Some are refused, but for another reason."""


class Limit(NamedTuple):
    """A row of the document's table."""

    kinds: tuple[str, ...]
    per_second: float
    burst: int


LIMITS = {
    name: Limit(OTHERS if name == "other" else tuple(kinds.replace("`", "").split(", ")), float(per_second), int(burst))
    for name, kinds, per_second, burst in rows("Limits")
}
each_limit = pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
each_kind = pytest.mark.parametrize(
    ("kind", "limit"), [(kind, limit) for limit in LIMITS.values() for kind in limit.kinds]
)


@pytest.fixture(autouse=True)
def _time_stands_still(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RATE_LIMITS = True
    monkeypatch.setattr("aleatoria.wire.reception.monotonic", lambda: 1000.0)


async def send(tab: Tab, kind: str, number: int) -> None:
    """Send a message of a type, with the number for its id."""
    await tab.sends(kind, messageId=str(number), **FIELDS.get(kind, {}))


async def too_fast(tab: Tab, limit: Limit) -> list[tuple[str, float]]:
    """Return the ids of the messages that were refused as too fast so far, and the seconds to wait."""
    fence, answer = ("get_rooms", "rooms_list") if "hello" in limit.kinds else ("hello", "welcome")
    await tab.sends(fence)
    refused = []
    while (frame := await tab.hears_frame())["type"] != answer:
        if frame["type"] == "error" and frame["payload"]["code"] == "rate_limited":
            refused.append((frame["payload"]["inReplyTo"], frame["payload"]["retryAfter"]))
    return refused


@each_kind
async def test_as_many_at_once_as_the_burst_are_answered_and_the_next_waits_for_one_token(
    tab: MakeTab, kind: str, limit: Limit
) -> None:
    async with tab("ana", room="attic") as ana:
        for number in range(limit.burst + 1):
            await send(ana, kind, number)
        wait = math.ceil(1000 / limit.per_second) / 1000
        assert await too_fast(ana, limit) == [(str(limit.burst), wait)]


@each_limit
async def test_the_types_of_one_rate_share_it(tab: MakeTab, limit: Limit) -> None:
    async with tab("ana", room="attic") as ana:
        for number in range(limit.burst):
            await send(ana, limit.kinds[number % len(limit.kinds)], number)
        for kind in limit.kinds:
            await send(ana, kind, limit.burst)
        assert len(await too_fast(ana, limit)) == len(limit.kinds)
