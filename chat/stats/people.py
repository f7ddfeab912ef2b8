"""Users as they are in Valkey: who is online, and who is in which room."""

import time
from collections.abc import Iterable, Sequence

import msgspec
import redis

from chat.store import presence
from chat.store.membership import members_key, rooms_key

SHOWN_MEMBERS = 500
"""How many members of a room are listed."""


class Member(msgspec.Struct, frozen=True):
    """A member of a room."""

    user: str
    online: bool


def members_of(client: redis.Redis, room: str) -> list[Member]:
    """Return up to SHOWN_MEMBERS members of a room, by name."""
    some: set[str] = set()
    for user in client.sscan_iter(members_key(room), count=SHOWN_MEMBERS):
        some.add(user.decode())
        if len(some) == SHOWN_MEMBERS:
            break
    users = sorted(some)
    return [Member(user, online) for user, online in zip(users, are_online(client, users), strict=True)]


def are_online(client: redis.Redis, users: Sequence[str]) -> list[bool]:
    """Return for each of the users whether they are online."""
    if not users:
        return []
    now = time.time()
    untils: list[float | None] = client.zmscore(presence.KEY, list(users))
    return [until is not None and until > now for until in untils]


def count_online(client: redis.Redis) -> int:
    """Return the number of users online."""
    return client.zcount(presence.KEY, time.time(), "+inf")


def rooms_of(client: redis.Redis, user: str) -> list[str]:
    """Return the names of the rooms that a user is in."""
    some: Iterable[bytes] = client.smembers(rooms_key(user))  # type: ignore[assignment]
    return sorted(room.decode() for room in some)
