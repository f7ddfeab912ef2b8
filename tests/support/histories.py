"""Histories as the tests see them: how one is requested, and functions that write lines to Valkey directly."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import redis

from tests.support.tab import Frame, Tab

HOUR_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def moment(micros: int) -> str:
    """Return the moment so many microseconds after an hour ago, as the protocol writes it."""
    return wire(HOUR_AGO + timedelta(microseconds=micros))


def wire(time: datetime) -> str:
    """Return a moment as the protocol writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def nanoseconds(create_time: str) -> int:
    """Return the nanoseconds since 1970."""
    since = datetime.fromisoformat(create_time) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1) * 1000


def forged(cursor: str) -> str:
    """Return a cursor that no server has given."""
    return urlsafe_b64encode(cursor.encode()).decode()


def contents(messages: Iterable[Frame]) -> list[str]:
    """Return the contents of messages."""
    return [message["payload"]["content"] for message in messages]


class History(NamedTuple):
    """The history of a room or of a conversation: where it is, and how it is asked for."""

    request: str
    reply: str
    whose: dict[str, Any]
    to: dict[str, str]
    key: str

    async def page(self, reader: Tab, **query: Any) -> Any:
        """Request a page; return the payload of the answer. Chat messages before it are skipped."""
        fields = {name: value for name, value in self.whose.items() if name == "room"}
        payload = {name: value for name, value in self.whose.items() if name != "room"} | query
        await reader.sends(self.request, payload=payload, **fields)
        while (frame := await reader.hears_frame())["type"] == "chat_message":
            pass
        assert frame["type"] == self.reply, frame
        return frame["payload"]

    async def refusal(self, reader: Tab, **query: Any) -> str:
        """Request a page; return the code with which that is refused."""
        return str((await self._replace(reply="error").page(reader, **query))["code"])

    async def say(self, writer: Tab, content: str, **more: Any) -> Frame:
        """Send a message, and return it as the sender receives it, which is the acknowledgement."""
        await writer.sends("chat_message", payload={"content": content} | more, **self.to)
        while True:
            frame = await writer.hears("chat_message")
            if frame["payload"]["content"] == content:
                return frame

    def from_the_other_side(self) -> "History":
        """Return the same history as its other user requests it."""
        return self._replace(whose={"withUser": "ana"}, to={"toUser": "ana"}) if "toUser" in self.to else self

    def line(self, content: str, create_time: str, **more: Any) -> str:
        """Return a message as it is stored."""
        fields = {"type": "chat_message", "fromUser": "ana", "messageId": content, "createTime": create_time}
        return json.dumps(fields | self.to | {"payload": {"content": content} | more}, separators=(",", ":"))

    def plant(self, keys: redis.Redis, *lines: str) -> None:
        """Store lines, oldest first, as a server does."""
        if self.request == "get_direct_messages":
            keys.rpush(self.key, *lines)
        else:
            keys.zadd(self.key, {line: nanoseconds(json.loads(line)["createTime"]) for line in lines})
        keys.expire(self.key, 86_400)

    def drop_oldest(self, keys: redis.Redis, count: int) -> None:
        """Delete the oldest lines, as a server does when there are too many."""
        drop = keys.lpop if self.request == "get_direct_messages" else keys.zpopmin
        drop(self.key, count)

    def kept(self, keys: redis.Redis) -> list[Frame]:
        """Return all stored messages, oldest first."""
        read = keys.lrange if self.request == "get_direct_messages" else keys.zrange
        lines: list[bytes] = read(self.key, 0, -1)  # type: ignore[assignment] # redis-py's are for async clients too
        return [json.loads(line) for line in lines]


LIMITS = {
    "left out": ({}, 50),
    "null": ({"limit": None}, 50),
    "some": ({"limit": 3}, 3),
    "none": ({"limit": 0}, 1),
    "negative": ({"limit": -3}, 1),
    "many": ({"limit": 1000}, 200),
    "astronomical": ({"limit": 1e300}, 200),
}
"""What is asked for, and how many messages come of 201."""

# Each spells the third microsecond after an hour ago.
SAME_MOMENT = {
    "as the server writes it": moment(3),
    "in nanoseconds": moment(3).replace("Z", "000Z"),
    "in lower case": moment(3).lower(),
    "with a space": moment(3).replace("T", " "),
    "with no offset": moment(3).replace("Z", "+00:00"),
    "in the east": wire(HOUR_AGO + timedelta(hours=5, minutes=45, microseconds=3)).replace("Z", "+05:45"),
    "in the west": wire(HOUR_AGO + timedelta(hours=-8, microseconds=3)).replace("Z", "-08:00"),
}

# Requests that make no sense.
NONSENSE: dict[str, dict[str, Any]] = {
    "a limit that is text": {"limit": "5"},
    "a limit that is true": {"limit": True},
    "a limit that is a list": {"limit": [5]},
    "before a word": {"before": "yesterday"},
    "before a date": {"before": "2025-10-10"},
    "before a local time": {"before": "2025-10-10T12:00:00"},
    "before the 13th month": {"before": "2025-13-10T12:00:00Z"},
    "before an impossible offset": {"before": "2025-10-10T12:00:00+24:00"},
    "before a number": {"before": 1760097600},
    "before a list": {"before": ["2025-10-10T12:00:00Z"]},
    "after a word": {"after": "yesterday"},
    "after true": {"after": True},
    "before and after": {"before": moment(9), "after": moment(3)},
    "a cursor that is a number": {"cursor": 5},
    "a cursor that is no base64": {"cursor": "%"},
    "a cursor that is not ASCII": {"cursor": "é"},
    "a cursor of garbage": {"cursor": "AAAA"},
    "a cursor without a moment": {"cursor": forged("o||0123456789abcdef")},
    "a cursor without a line": {"cursor": forged("n|1760097600000000000|")},
    "a cursor into a third direction": {"cursor": forged("x|1760097600000000000|0123456789abcdef")},
    "a cursor at infinity": {"cursor": forged("o|+inf|0123456789abcdef")},
    "a cursor with a bound of Valkey's": {"cursor": forged("o|(1|0123456789abcdef")},
    "a cursor at an escape": {"cursor": forged("o|1\r\nFLUSHALL|0123456789abcdef")},
}

ATTIC = History("get_recent_messages", "recent_messages", {"room": "attic"}, {"room": "attic"}, "room:messages:attic")
ANA_AND_BOB = History("get_direct_messages", "direct_messages", {"withUser": "bob"}, {"toUser": "bob"}, "dm:ana:bob")
