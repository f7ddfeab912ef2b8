"""Rooms, members and conversations as they are in Valkey: blocking, read-only, for the admin and for commands."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import redis

from aleatoria.operators.stats import Ask, ask_all, asking, found
from aleatoria.valkey.keys import literally
from aleatoria.wire import names
from chat.store import direct_history, membership, presence, room_history
from chat.store.line import created_in
from chat.store.membership import members_key, rooms_key

SHOWN_MEMBERS = 500
"""Members of a room that are listed; the number of all is given beside."""


class Room(msgspec.Struct, frozen=True):
    """A room somebody is in, or in which something was said."""

    name: str
    members: int
    online: int
    messages: int
    newest: datetime | None
    memory_bytes: int
    expires_in_seconds: int
    """Until all of it goes, if nothing happens."""


class _Column(NamedTuple):
    """Something to be known of a room: what to ask, and what the answers mean."""

    asks: Callable[[str], list[Ask]]
    read: Callable[[list[Any]], Any]


def _last_scored(room: str) -> Ask:
    return lambda pipe: pipe.zrange(room_history.key(room), -1, -1, withscores=True)


def _newest(answers: list[Any]) -> datetime | None:
    (scored,) = answers
    return datetime.fromtimestamp(scored[0][1] / 1e9, UTC) if scored else None


_COLUMNS = {
    "members": _Column(lambda room: [asking("scard", members_key(room))], sum),
    "online": _Column(lambda room: [asking("zintercard", 2, [members_key(room), presence.KEY])], sum),
    "messages": _Column(lambda room: [asking("zcard", room_history.key(room))], sum),
    "newest": _Column(lambda room: [_last_scored(room)], _newest),
    "memory_bytes": _Column(
        lambda room: [
            asking("memory_usage", room_history.key(room)),
            asking("memory_usage", members_key(room)),
        ],
        lambda answers: sum(size or 0 for size in answers),
    ),
    "expires_in_seconds": _Column(
        lambda room: [asking("pttl", room_history.key(room)), asking("pttl", members_key(room))],
        lambda answers: max(0, *answers) // 1000,
    ),
}
ORDERS = ("name", *_COLUMNS)
"""By what rooms can be sorted."""


def room_names(client: redis.Redis, containing: str = "") -> set[str]:
    """The rooms there are, or those whose names contain a text, in any case of letters."""
    names = {*found(client, membership.MEMBERS), *found(client, room_history.PREFIX)}
    wanted = containing.casefold()
    return {name for name in names if wanted in name.casefold()} if wanted else names


def rooms(client: redis.Redis, names: Sequence[str]) -> list[Room]:
    """These rooms, in this order."""
    known = {field: _column(client, field, names) for field in _COLUMNS}
    return [Room(name, **{field: known[field][place] for field in known}) for place, name in enumerate(names)]


def page_of_rooms(
    client: redis.Redis, *, containing: str, order: str, descending: bool, start: int, count: int
) -> tuple[list[Room], int]:
    """A page of the rooms there are, and how many there are. Of all of them only what they are sorted by is read."""
    names = sorted(room_names(client, containing), key=_folded)
    if order == "name":
        if descending:
            names.reverse()
    else:
        values = _column(client, order, names)
        # Rooms of the same value stay in the order of their names; those without one come last.
        places = sorted(range(len(names)), key=lambda place: _weight(values[place]), reverse=descending)
        names = [names[place] for place in places]
    return rooms(client, names[start : start + count]), len(names)


def _folded(name: str) -> tuple[str, str]:
    return name.casefold(), name


def _weight(value: datetime | int | None) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    return value or 0


def _column(client: redis.Redis, field: str, names: Sequence[str]) -> list[Any]:
    column = _COLUMNS[field]
    asks = [column.asks(name) for name in names]
    answers = iter(ask_all(client, (ask for some in asks for ask in some)))
    return [column.read([next(answers) for _ in some]) for some in asks]


class Member(msgspec.Struct, frozen=True):
    """A member of a room."""

    user: str
    online: bool


def members(client: redis.Redis, room: str) -> list[Member]:
    """Up to SHOWN_MEMBERS members of a room, by name."""
    some: set[str] = set()
    for user in client.sscan_iter(members_key(room), count=SHOWN_MEMBERS):
        some.add(user.decode())
        if len(some) == SHOWN_MEMBERS:
            break
    users = sorted(some)
    return [Member(user, on) for user, on in zip(users, online(client, users), strict=True)]


def online(client: redis.Redis, users: Sequence[str]) -> list[bool]:
    """Of each user, whether he is."""
    if not users:
        return []
    now = time.time()
    untils: list[float | None] = client.zmscore(presence.KEY, list(users))
    return [until is not None and until > now for until in untils]


def count_online(client: redis.Redis) -> int:
    """How many users are."""
    return client.zcount(presence.KEY, time.time(), "+inf")


def said_in(client: redis.Redis, room: str, *, seconds: int, parts: int) -> list[int]:
    """How many messages of a room are from each part of the last so many seconds, the oldest first."""
    now, width = time.time_ns(), seconds * 1_000_000_000 // parts
    bounds = [now - width * back for back in range(parts, -1, -1)]
    key = room_history.key(room)
    return ask_all(client, (asking("zcount", key, f"({begin}", end) for begin, end in pairwise(bounds)))


def last_in_room(client: redis.Redis, room: str, count: int) -> list[bytes]:
    """The last lines of a room, oldest first."""
    return client.zrange(room_history.key(room), -count, -1) if count else []  # type: ignore[return-value]


class Conversation(msgspec.Struct, frozen=True):
    """What two users said to each other, in numbers."""

    one: str
    other: str
    messages: int
    newest: datetime | None
    memory_bytes: int
    expires_in_seconds: int


def conversations(client: redis.Redis, pairs: Sequence[tuple[str, str]]) -> list[Conversation]:
    """These conversations, in this order."""
    keys = [direct_history.key(*pair) for pair in pairs]
    sizes = ask_all(client, (asking("llen", key) for key in keys))
    newest = ask_all(client, (asking("lindex", key, -1) for key in keys))
    memory = ask_all(client, (asking("memory_usage", key) for key in keys))
    expiry = ask_all(client, (asking("pttl", key) for key in keys))
    return [
        Conversation(*pair, size, _created(line), used or 0, max(0, left) // 1000)
        for pair, size, line, used, left in zip(pairs, sizes, newest, memory, expiry, strict=True)
    ]


def conversations_of(client: redis.Redis, user: str) -> list[tuple[str, str]]:
    """With whom a user has conversations, as pairs of him and each."""
    ends = (f"{literally(user)}:*", f"*:{literally(user)}")
    found_keys = {key for end in ends for key in client.scan_iter(match=f"{direct_history.PREFIX}{end}", count=1000)}
    pairs = (key.decode(errors="backslashreplace").split(":")[1:] for key in found_keys)
    others = (pair[1] if pair[0] == user else pair[0] for pair in pairs if len(pair) == 2)
    return sorted((user, other) for other in others if names.is_user_id(other))


def count_conversations(client: redis.Redis) -> int:
    """How many conversations there are."""
    return sum(1 for _ in found(client, direct_history.PREFIX))


def last_between(client: redis.Redis, one: str, other: str, count: int) -> list[bytes]:
    """The last lines between two users, oldest first."""
    return client.lrange(direct_history.key(one, other), -count, -1) if count else []  # type: ignore[return-value]


def rooms_of(client: redis.Redis, user: str) -> list[str]:
    """The rooms a user is in."""
    some: Iterable[bytes] = client.smembers(rooms_key(user))  # type: ignore[assignment]
    return sorted(room.decode() for room in some)


def _created(line: bytes | None) -> datetime | None:
    try:
        return datetime.fromisoformat(created_in(line or b""))
    except ValueError:
        return None  # nothing was said, or the line is broken: the audit says how
