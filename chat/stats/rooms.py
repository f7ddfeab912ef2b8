"""Rooms as they are in Valkey: their numbers, sorted and in pages, and what was said in them."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import redis

from aleatoria.operators.stats import Ask, ask_all, asking, found
from chat.store import membership, presence, room_history
from chat.store.membership import members_key


class RoomStats(msgspec.Struct, frozen=True):
    """The numbers of a room that has members or messages."""

    name: str
    members: int
    online: int
    messages: int
    newest: datetime | None
    """When the newest message was sent. None without messages."""
    memory_bytes: int
    expires_in_seconds: int
    """Until the last key of the room expires, if nothing happens in the room."""


class _Column(NamedTuple):
    """A number of a room: the commands to send for a room, and how to read their answers."""

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
"""The columns that rooms can be sorted by."""


def room_names(client: redis.Redis, containing: str = "") -> set[str]:
    """Return the names of all rooms, or of those whose names contain a text in upper or lower case."""
    rooms = {*found(client, membership.MEMBERS), *found(client, room_history.PREFIX)}
    wanted = containing.casefold()
    return {room for room in rooms if wanted in room.casefold()} if wanted else rooms


def room_stats(client: redis.Redis, rooms: Sequence[str]) -> list[RoomStats]:
    """Return the numbers of these rooms, in this order."""
    columns = {field: _column(client, field, rooms) for field in _COLUMNS}
    return [RoomStats(room, **{field: columns[field][place] for field in columns}) for place, room in enumerate(rooms)]


def page_of_rooms(
    client: redis.Redis, *, containing: str, order: str, descending: bool, start: int, count: int
) -> tuple[list[RoomStats], int]:
    """Return up to `count` rooms from place `start` on, and how many rooms match.

    `order` is one of ORDERS. Of the rooms that are not on the page only the column that they are sorted by is read.
    """
    rooms = sorted(room_names(client, containing), key=_folded)
    if order == "name":
        if descending:
            rooms.reverse()
    else:
        values = _column(client, order, rooms)
        # Rooms with the same value stay sorted by name. Rooms without a value come last.
        places = sorted(range(len(rooms)), key=lambda place: _weight(values[place]), reverse=descending)
        rooms = [rooms[place] for place in places]
    return room_stats(client, rooms[start : start + count]), len(rooms)


def _folded(room: str) -> tuple[str, str]:
    return room.casefold(), room


def _weight(value: datetime | int | None) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    return value or 0


def _column(client: redis.Redis, field: str, rooms: Sequence[str]) -> list[Any]:
    column = _COLUMNS[field]
    asks = [column.asks(room) for room in rooms]
    answers = iter(ask_all(client, (ask for some in asks for ask in some)))
    return [column.read([next(answers) for _ in some]) for some in asks]


def said_in(client: redis.Redis, room: str, *, seconds: int, parts: int) -> list[int]:
    """Split the last `seconds` seconds into `parts` parts. Returns the messages of a room in each, oldest first."""
    now, width = time.time_ns(), seconds * 1_000_000_000 // parts
    bounds = [now - width * back for back in range(parts, -1, -1)]
    key = room_history.key(room)
    return ask_all(client, (asking("zcount", key, f"({begin}", end) for begin, end in pairwise(bounds)))


def last_in_room(client: redis.Redis, room: str, count: int) -> list[bytes]:
    """Return the last `count` stored lines of a room, oldest first."""
    return client.zrange(room_history.key(room), -count, -1) if count else []  # type: ignore[return-value]
