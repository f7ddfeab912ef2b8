"""Rules that must always hold for rooms and conversations in Valkey."""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import redis
from django.conf import settings

from aleatoria.operators.audit import Breach, Rule
from aleatoria.operators.stats import ask_all, asking, found
from aleatoria.wire import clock, names
from aleatoria.wire.envelope import Envelope
from aleatoria.wire.errors import WireError
from chat.payloads import Content
from chat.services import sweep
from chat.store import direct_history, membership, room_history
from chat.store.line import MESSAGE, created_in, message_in
from chat.store.membership import members_key, rooms_key

_SLACK = 60.0
"""Seconds that a message may be kept too long, besides the time that a round of the sweep takes."""
# Both sides in one step, because users join and leave while the audit runs.
_DISAGREE = "return redis.call('SISMEMBER', KEYS[1], ARGV[1]) ~= redis.call('SISMEMBER', KEYS[2], ARGV[2]) and 1 or 0"


def memberships(client: redis.Redis) -> Iterator[Breach]:
    """Each member of a room has it among their rooms, and the other way round. A repair trusts the user's rooms."""
    yield from _members_without_room(client)
    yield from _rooms_without_member(client)


def _members_without_room(client: redis.Redis) -> Iterator[Breach]:
    for room in list(_of_type(client, membership.MEMBERS, b"set")):
        users = [user.decode() for user in client.sscan_iter(members_key(room), count=1000)]
        agreeing = ask_all(client, (asking("sismember", rooms_key(user), room) for user in users))
        for user, agrees in zip(users, agreeing, strict=True):
            if not agrees and _disagree(client, room, user):
                says = f"lists {user}, but their rooms do not include it"
                yield Breach(members_key(room), says, _strike(client, room, user))


def _rooms_without_member(client: redis.Redis) -> Iterator[Breach]:
    for user in list(_of_type(client, membership.ROOMS, b"set")):
        rooms = [room.decode() for room in client.sscan_iter(rooms_key(user), count=1000)]
        agreeing = ask_all(client, (asking("sismember", members_key(room), user) for room in rooms))
        for room, agrees in zip(rooms, agreeing, strict=True):
            if not agrees and _disagree(client, room, user):
                says = f"lists {room}, but its members do not include {user}"
                yield Breach(rooms_key(user), says, _enrol(client, room, user))


def room_lines(client: redis.Redis) -> Iterator[Breach]:
    """Every line of a room is a message of that room. Its score is its createTime."""
    for room in list(_of_type(client, room_history.PREFIX, b"zset")):
        key = room_history.key(room)
        for line, score in list(client.zscan_iter(key, count=1000)):
            message, flaw = _read(line)
            if not flaw and message.room != room:
                flaw = f"belongs to the room {message.room!r}"
            if not flaw and score != float(clock.nanoseconds(message.create_time) // 1000 * 1000):
                flaw = "has a score that is not its createTime"
            if flaw:
                yield Breach(key, f"a line {flaw}", _remove_scored(client, key, line))


def direct_lines(client: redis.Redis) -> Iterator[Breach]:
    """Every line of a conversation is a message of its two users. The lines are sorted by createTime."""
    for pair in list(_of_type(client, direct_history.PREFIX, b"list")):
        key = direct_history.PREFIX + pair
        times = []
        for line in _lines(client, key):
            message, flaw = _read(line)
            if not flaw and direct_history.key(message.from_user, message.to_user) != key:
                flaw = f"is from {message.from_user!r} to {message.to_user!r}"
            if flaw:
                yield Breach(key, f"a line {flaw}", _remove_listed(client, key, line))
            else:
                times.append(message.create_time)
        if any(later < earlier for earlier, later in pairwise(times)):
            yield Breach(key, "is not sorted by createTime")


def retention(client: redis.Redis) -> Iterator[Breach]:
    """No message is kept for longer than MESSAGE_TTL, two rounds of the sweep and _SLACK."""
    round_trip = client.dbsize() / sweep.AT_ONCE * sweep.EVERY
    oldest = time.time() - settings.MESSAGE_TTL.total_seconds() - _SLACK - 2 * round_trip
    rooms = list(_of_type(client, room_history.PREFIX, b"zset"))
    counts = ask_all(client, (asking("zcount", room_history.key(room), "-inf", oldest * 1e9) for room in rooms))
    for room, expired in zip(rooms, counts, strict=True):
        if expired:
            key = room_history.key(room)
            yield Breach(key, f"holds {expired} expired messages", _cut(client, key, oldest))
    for pair in list(_of_type(client, direct_history.PREFIX, b"list")):
        key, bound = direct_history.PREFIX + pair, clock.text(int(oldest * 1_000_000))
        old = [line for line in _lines(client, key) if "" < created_in(line) < bound]
        if old:
            yield Breach(key, f"holds {len(old)} expired messages", _remove_listed(client, key, *old))


def _of_type(client: redis.Redis, prefix: str, kind: bytes) -> Iterator[str]:
    """Yield the rest of the name of each key with this prefix and type. The rule `type` reports the others."""
    rests = list(found(client, prefix))
    types = ask_all(client, (asking("type", prefix + rest) for rest in rests))
    return (rest for rest, is_type in zip(rests, types, strict=True) if is_type == kind)


def _lines(client: redis.Redis, key: str) -> list[bytes]:
    """Return the lines of a conversation. Each command reads only a part, so that it does not block Valkey for long."""
    starts = range(0, client.llen(key), 500)
    stretches = ask_all(client, (asking("lrange", key, start, start + 499) for start in starts))
    return [line for some in stretches for line in some]


def _read(line: bytes) -> tuple[Envelope, str]:
    """Return the message in a line and what is wrong with it, which is empty when nothing is."""
    try:
        message = message_in(line)
        content = message.payload_as(Content).content
        clock.nanoseconds(message.create_time)
    except (WireError, ValueError) as error:
        return Envelope(), f"is not a message: {error}"
    if message.type != MESSAGE or not content or not names.is_user_id(message.from_user):
        return message, "is not a chat message"
    return message, ""


def _disagree(client: redis.Redis, room: str, user: str) -> bool:
    return bool(client.eval(_DISAGREE, 2, rooms_key(user), members_key(room), room, user))


def _strike(client: redis.Redis, room: str, user: str) -> Callable[[], object]:
    return lambda: _disagree(client, room, user) and client.srem(members_key(room), user)


def _enrol(client: redis.Redis, room: str, user: str) -> Callable[[], object]:
    ttl = settings.MEMBERSHIP_TTL // clock.MILLISECOND
    keys = [rooms_key(user), members_key(room)]
    return lambda: _disagree(client, room, user) and membership.JOIN.apply(client, keys, user, room, 1_000_000, ttl)


def _remove_scored(client: redis.Redis, key: str, line: bytes) -> Callable[[], object]:
    return lambda: client.zrem(key, line)


def _remove_listed(client: redis.Redis, key: str, *lines: bytes) -> Callable[[], object]:
    return lambda: [client.lrem(key, 1, line) for line in lines]  # type: ignore[arg-type] # bytes are fine


def _cut(client: redis.Redis, key: str, oldest: float) -> Callable[[], object]:
    return lambda: client.zremrangebyscore(key, "-inf", oldest * 1e9)


RULES: dict[str, Rule] = {
    "membership": memberships,
    "room line": room_lines,
    "direct line": direct_lines,
    "retention": retention,
}
