"""What tests of `purge` share: which keys name a user, and users who write and meet."""

import json
from collections.abc import Callable
from typing import Any

import redis

from tests.support.tab import Talk

NOT_DONE = "Nothing has been done. Add --yes to do it."
BANNED = 4403
CLOSING = "Sockets: close all sockets of ana with 4403."


def names(keys: redis.Redis) -> set[str]:
    """Return all keys, without those about who is online and without totals."""
    found: list[bytes] = keys.keys("*")  # type: ignore[assignment] # redis-py's are for async clients too
    return {name.decode() for name in found if not name.startswith((b"users:online", b"stats:"))}


def holding(keys: redis.Redis, user: str) -> set[str]:
    """Return the keys that name a user, in their own name or in an entry. A message names the user who wrote it."""
    entries: dict[str, Callable[[str], Any]] = {
        "set": keys.smembers,
        "hash": lambda key: [*keys.hkeys(key), *keys.hvals(key)],
        "zset": lambda key: keys.zrange(key, 0, -1),
        "list": lambda key: keys.lrange(key, 0, -1),
    }
    found = {name for name in names(keys) if user in name.split(":")}
    for name in names(keys):
        kind = keys.type(name).decode()  # type: ignore[union-attr]
        for entry in entries[kind](name) if kind in entries else ():
            written = entry.startswith(b"{") and json.loads(entry)["fromUser"]
            if user in (entry.decode(), written):
                found.add(name)
    return found


async def writes(writer: Talk, *others: str) -> None:
    """Send a direct message to each of the other users."""
    for other in others:
        await writer.writes(other, f"hello {other}")
        await writer.hears_until(f"hello {other}")


async def says(writer: Talk, content: str, room: str = "attic") -> None:
    """Send a message to a room."""
    await writer.says(content, room=room)
    await writer.hears_until(content)


async def meet(asking: Talk, waiting: Talk) -> None:
    """Pair two users for a call."""
    await waiting.asks("request_random_peer", "no_peer_available")
    assert (await asking.asks("request_random_peer", "assign_role"))["peerId"] == waiting.user
    assert (await waiting.hears("assign_role"))["payload"]["peerId"] == asking.user


async def said_in(reader: Talk, room: str = "attic") -> list[str]:
    """Return the texts in a room's history, oldest first."""
    answer = await reader.asks("get_recent_messages", "recent_messages", room=room, payload={"limit": 200})
    return [message["payload"]["content"] for message in reversed(answer["messages"])]


async def rooms_of(tab: Talk) -> list[str]:
    """Return the rooms of a user, as the server tells them."""
    return sorted((await tab.asks("get_rooms", "rooms_list"))["rooms"])


async def is_left_alone(tab: Talk, room: str = "attic") -> None:
    """Assert that a user has left the room and can no longer write to it."""
    assert (await tab.hears("room_left"))["room"] == room
    await tab.says("still here?", room=room)
    assert (await tab.hears("error"))["payload"]["code"] == "not_in_room"
