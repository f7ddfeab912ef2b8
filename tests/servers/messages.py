"""What the tests of the servers send, and the bounds and codes that they expect."""

import json

import pytest

from tests.support.processes import ServerProcess
from tests.support.tab import Frame
from tests.support.waiting import soon
from tests.support.wire import Wire

LIMIT = 65536
"""Bytes that a message may have."""
MIB = 1024 * 1024
SLOW_READER = 4408
RESTART = 1012
not_utf8 = pytest.mark.parametrize(
    "data",
    [b"\xff", b'{"type": "get_rooms", "room": "\xc3\x28"}', b"\xed\xa0\x80" * 1000],
    ids=["byte", "json", "long"],
)


def message_of(size: int, room: str = "attic", **fields: object) -> str:
    """A message to a room of exactly so many bytes."""
    message: Frame = {"type": "chat_message", "room": room, "payload": {"content": "big", "pad": ""}} | fields
    message["payload"]["pad"] = "x" * (size - len(json.dumps(message)))
    return json.dumps(message)


async def is_too_large(tab: Wire) -> None:
    """Return when the last message has been refused; the socket must still be open."""
    answer = await tab.hears("error_response")
    assert answer["payload"]["code"] == "too_large"
    assert "fromUser" not in answer
    await tab.hears_nothing()


async def fills(room: str, count: int, tab: Wire, *others: Wire) -> None:
    """Send so many messages of 16 KiB to the room, as fast as all of these hear them."""
    text = message_of(16_384, room=room)
    for _ in range(count // 20):
        for _ in range(20):
            await tab.sends_text(text)
        for one in (tab, *others) * 20:
            await one.hears("chat_message")


async def is_disconnected(server: ServerProcess, user: str, code: int) -> None:
    """Return when the application of this server has learned that the user's socket was closed with this code."""
    await soon(lambda: f"{user} is disconnected, code {code}," in server.logged())
