"""Breaches that tests put into Valkey, and what the audit says of them."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import redis

from tests.support.histories import ANA_AND_BOB, ATTIC, moment, nanoseconds, wire

WAITING, LEASES = "available:webrtc", "{available:webrtc}:leases"
CALLS, CALLERS = "{available:webrtc}:pairs", "{available:webrtc}:callers"
LINES, LETTERS = "room:messages:attic", "dm:ana:bob"
HOUR = 60 * 60
LONG_AGO = wire(datetime.now(UTC) - timedelta(days=2))


def leases(keys: redis.Redis, user: str) -> object:
    """Give a user a lease."""
    return keys.zadd(LEASES, {user: time.time() + 45})


def snapshot(keys: redis.Redis) -> dict[bytes, object]:
    """Return the contents of every key."""
    names: list[bytes] = keys.keys("*")  # type: ignore[assignment] # redis-py's are for async clients too
    return {name: keys.dump(name) for name in names}


def in_room(line: str, score: float | None = None) -> Callable[[redis.Redis], object]:
    """Return a function that adds a line to the room attic."""
    return lambda keys: keys.zadd(LINES, {line: nanoseconds(moment(9)) if score is None else score})


def in_letters(*lines: str) -> Callable[[redis.Redis], object]:
    """Return a function that appends lines to the conversation of ana and bob."""
    return lambda keys: keys.rpush(LETTERS, *lines)


def elsewhere(line: str) -> str:
    """Return the same line, but of the room cellar."""
    return line.replace('"room":"attic"', '"room":"cellar"')


class Case(NamedTuple):
    """A breach, and what the audit finds: the rule, the key, and the beginning of the text."""

    plant: Callable[[redis.Redis], object]
    found: list[tuple[str, str, str]]
    mended: bool = True


CASES = {
    # Any key
    "members that never expire": Case(
        lambda keys: keys.persist("room:members:attic"), [("expiry", "room:members:attic", "never expires")]
    ),
    "messages that never expire": Case(lambda keys: keys.persist(LINES), [("expiry", LINES, "never expires")]),
    "letters that never expire": Case(lambda keys: keys.persist(LETTERS), [("expiry", LETTERS, "never expires")]),
    "a pool that never expires": Case(lambda keys: keys.persist(WAITING), [("expiry", WAITING, "never expires")]),
    "calls that never expire": Case(lambda keys: keys.persist(CALLS), [("expiry", CALLS, "never expires")]),
    "totals that never expire": Case(
        lambda keys: keys.hset("stats:day:20200101", "messages", 1), [("expiry", "stats:day:20200101", "never expires")]
    ),
    "messages that are text": Case(
        lambda keys: keys.set("room:messages:cellar", "hello", ex=HOUR),
        [("type", "room:messages:cellar", "is a string, not a zset")],
    ),
    "letters that are a set": Case(
        lambda keys: keys.sadd("dm:cat:dan", "hello") and keys.expire("dm:cat:dan", HOUR),
        [("type", "dm:cat:dan", "is a set, not a list")],
    ),
    # Memberships
    "a member whose rooms do not have the room": Case(
        lambda keys: keys.sadd("room:members:attic", "zoe"),
        [("membership", "room:members:attic", "lists zoe, but their rooms do not include it")],
    ),
    "a room whose members do not have the user": Case(
        lambda keys: keys.sadd("user:rooms:ana", "cellar"),
        [("membership", "user:rooms:ana", "lists cellar, but its members do not include ana")],
    ),
    "a member of a room like a pattern": Case(
        lambda keys: keys.sadd("room:members:[a]*", "ana") and keys.expire("room:members:[a]*", HOUR),
        [("membership", "room:members:[a]*", "lists ana, but their rooms do not include it")],
    ),
    # Calls
    "a user in two calls": Case(
        lambda keys: leases(keys, "fay") and keys.hset(CALLS, "fay", "cat"),
        [("calls", CALLS, "fay is in a call with cat, but cat is in a call with dan")],
    ),
    "a pair one way only": Case(
        lambda keys: keys.hdel(CALLS, "dan"),
        [
            ("calls", CALLS, "cat is in a call with dan, but dan is in a call with nobody"),
            ("pool", LEASES, "dan has a lease, but neither waits nor is in a call"),
        ],
    ),
    "three in a ring": Case(
        lambda keys: leases(keys, "fay") and keys.hset(CALLS, mapping={"dan": "fay", "fay": "cat"}),
        [
            ("calls", CALLS, "cat is in a call with dan, but dan is in a call with fay"),
            ("calls", CALLS, "dan is in a call with fay, but fay is in a call with cat"),
            ("calls", CALLS, "fay is in a call with cat, but cat is in a call with dan"),
        ],
    ),
    "a call with oneself": Case(
        lambda keys: leases(keys, "fay") and keys.hset(CALLS, "fay", "fay"),
        [("calls", CALLS, "fay is in a call with themselves")],
    ),
    "two who both have asked": Case(
        lambda keys: keys.sadd(CALLERS, "dan"), [("calls", CALLERS, "cat and dan have the same role")]
    ),
    "two of whom neither has asked": Case(
        lambda keys: keys.srem(CALLERS, "cat"), [("calls", CALLERS, "cat and dan have the same role")]
    ),
    "a role without a call": Case(
        lambda keys: keys.sadd(CALLERS, "eve"), [("calls", CALLERS, "eve has requested a call, but is in none")]
    ),
    # The pool
    "waiting without a lease": Case(lambda keys: keys.sadd(WAITING, "fay"), [("pool", WAITING, "fay has no lease")]),
    "in a call without a lease": Case(lambda keys: keys.zrem(LEASES, "dan"), [("pool", CALLS, "dan has no lease")]),
    "a lease for nothing": Case(
        lambda keys: leases(keys, "fay"), [("pool", LEASES, "fay has a lease, but neither waits nor is in a call")]
    ),
    "waiting and in a call": Case(
        lambda keys: keys.sadd(WAITING, "cat"), [("pool", WAITING, "cat waits and is in a call")]
    ),
    # Lines of rooms
    "a line that is no JSON": Case(in_room("hello"), [("room line", LINES, "a line is not a message: ")]),
    "a line that is no text": Case(
        lambda keys: keys.zadd(LINES, {b"\xff": nanoseconds(moment(9))}),
        [("room line", LINES, "a line is not a message: ")],
    ),
    "a line that is no chat message": Case(
        in_room(ATTIC.line("hm", moment(9)).replace("chat_message", "hangup")),
        [("room line", LINES, "a line is not a chat message")],
    ),
    "a line by nobody": Case(
        in_room(ATTIC.line("hm", moment(9)).replace('"ana"', '"*"')),
        [("room line", LINES, "a line is not a chat message")],
    ),
    "a line that says nothing": Case(
        in_room(ATTIC.line("", moment(9))), [("room line", LINES, "a line is not a chat message")]
    ),
    "a line without a time": Case(in_room(ATTIC.line("hm", "")), [("room line", LINES, "a line is not a message: ")]),
    "a line with a date for a time": Case(
        in_room(ATTIC.line("hm", moment(9)[:10])), [("room line", LINES, "a line is not a message: ")]
    ),
    "a line with a local time": Case(
        in_room(ATTIC.line("hm", moment(9)[:-1])), [("room line", LINES, "a line is not a message: ")]
    ),
    "a line of another room": Case(
        in_room(elsewhere(ATTIC.line("hm", moment(9)))), [("room line", LINES, "a line belongs to the room 'cellar'")]
    ),
    "a line at another time": Case(
        in_room(ATTIC.line("hm", moment(9)), nanoseconds(moment(10_000))),
        [("room line", LINES, "a line has a score that is not its createTime")],
    ),
    # Lines of conversations
    "a letter of others": Case(
        in_letters(ANA_AND_BOB.line("hm", moment(9)).replace('"bob"', '"cat"')),
        [("direct line", LETTERS, "a line is from 'ana' to 'cat'")],
    ),
    "a letter to a room": Case(
        in_letters(ATTIC.line("hm", moment(9))), [("direct line", LETTERS, "a line is from 'ana' to ''")]
    ),
    "a letter that is no JSON": Case(in_letters("hello"), [("direct line", LETTERS, "a line is not a message: ")]),
    "a letter with a local time": Case(
        in_letters(ANA_AND_BOB.line("hm", moment(9)[:-1])), [("direct line", LETTERS, "a line is not a message: ")]
    ),
    "the same broken letter twice": Case(
        in_letters("hello", "hello"), [("direct line", LETTERS, "a line is not a message: ")] * 2
    ),
    "letters under ids in the wrong order": Case(
        lambda keys: keys.rpush("dm:bob:ana", ANA_AND_BOB.line("hm", moment(9))) and keys.expire("dm:bob:ana", HOUR),
        [("direct line", "dm:bob:ana", "a line is from 'ana' to 'bob'")],
    ),
    "letters out of order": Case(
        in_letters(ANA_AND_BOB.line("late", moment(2))),
        [("direct line", LETTERS, "is not sorted by createTime")],
        mended=False,
    ),
    # What should have gone
    "messages past their time": Case(
        lambda keys: ATTIC.plant(keys, *(ATTIC.line(f"old {number}", LONG_AGO) for number in range(3))),
        [("retention", LINES, "holds 3 expired messages")],
    ),
    "letters past their time": Case(
        lambda keys: keys.lpush(LETTERS, *(ANA_AND_BOB.line(f"old {number}", LONG_AGO) for number in range(3))),
        [("retention", LETTERS, "holds 3 expired messages")],
    ),
}


def finding(rule: str, key: str, says: str) -> Callable[[dict[str, Any]], bool]:
    """Return a function that tells whether a finding is this one."""
    return lambda one: (one["rule"], one["key"]) == (rule, key) and one["says"].startswith(says)


def are(found: list[dict[str, Any]], expected: list[tuple[str, str, str]]) -> bool:
    """Return whether the findings are exactly these, in any order."""
    in_order = sorted(found, key=lambda one: (one["rule"], one["key"], one["says"]))
    return len(found) == len(expected) and all(
        finding(*what)(one) for one, what in zip(in_order, sorted(expected), strict=True)
    )
