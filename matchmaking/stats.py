"""Who waits and who is in a call, as it is in Valkey: blocking, read-only, for the admin and the commands."""

import time
from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec
import redis

from aleatoria.operators.stats import Total, ask_all, asking
from matchmaking.panels import MATCHES
from matchmaking.services import WAITS
from matchmaking.store.pool import CALLERS, CALLS, LEASES, WAITING

SHOWN = 200
"""How many users who wait, and how many calls, are listed."""


class Waiting(msgspec.Struct, frozen=True):
    """A user who waits for a call."""

    user: str
    alive_for_seconds: float | None
    """Until their lease expires, unless it is renewed. Negative when it has expired, None without a lease."""


class CallStats(msgspec.Struct, frozen=True):
    """A call: `asked` requested a peer, and `chosen` was waiting."""

    asked: str
    chosen: str


class PoolStats(msgspec.Struct, frozen=True):
    """The number of users who wait and of calls, and the first SHOWN of each."""

    waiting: int
    calls: int
    first_waiting: list[Waiting]
    first_calls: list[CallStats]


def pool_stats(client: redis.Redis) -> PoolStats:
    """Return the pool and the calls as they are now."""
    waiting: int = client.scard(WAITING)
    calling: int = client.hlen(CALLS)
    return PoolStats(waiting, calling // 2, _first_waiting(client), _first_calls(client))


def _first_waiting(client: redis.Redis) -> list[Waiting]:
    users = sorted(user.decode() for user in islice(client.sscan_iter(WAITING, count=SHOWN), SHOWN))
    if not users:
        return []
    leases: Sequence[float | None] = client.zmscore(LEASES, users)
    now = time.time()
    return [
        Waiting(user, None if until is None else round(until - now, 1))
        for user, until in zip(users, leases, strict=True)
    ]


def _first_calls(client: redis.Redis) -> list[CallStats]:
    some = islice(client.hscan_iter(CALLS, count=2 * SHOWN), 2 * SHOWN)
    # Of each call both users are read, or only one: the other one may be beyond those.
    pairs = sorted({tuple(sorted([user.decode(), peer.decode()])) for user, peer in some})[:SHOWN]
    asked = ask_all(client, (asking("sismember", CALLERS, one) for one, _ in pairs))
    return [
        CallStats(one, other) if has_asked else CallStats(other, one)
        for (one, other), has_asked in zip(pairs, asked, strict=True)
    ]


class CallerStats(msgspec.Struct, frozen=True):
    """What a user is doing: they wait, are in a call with `peer`, or neither."""

    waits: bool
    peer: str
    """Empty when they are in no call."""
    alive_for_seconds: float | None
    """Until their lease expires, unless it is renewed. None without a lease."""


def caller_stats(client: redis.Redis, user: str) -> CallerStats:
    """Return what a user is doing now."""
    peer: Any = client.hget(CALLS, user)
    until = client.zscore(LEASES, user)
    left = None if until is None else round(until - time.time(), 1)
    return CallerStats(bool(client.sismember(WAITING, user)), peer.decode() if peer else "", left)


def median_wait(some: Sequence[Total]) -> float | None:
    """Return the median wait, in seconds, of the users who had to wait in these hours. None when nobody had to.

    Waits are counted in buckets by their length. Within a bucket they are taken to be spread evenly.
    """
    counts = [sum(total.count(f"waits:{bound}") for total in some) for bound in (*WAITS, "longer")]
    half, below = sum(counts) / 2, 0.0
    if not half:
        return None
    for count, shortest, longest in zip(counts, (0.0, *WAITS), (*WAITS, WAITS[-1]), strict=True):
        if below + count >= half:
            return shortest + (longest - shortest) * (half - below) / count
        below += count
    return WAITS[-1]


def matches(some: Sequence[Total]) -> int:
    """Return how many pairs were made in these hours."""
    return sum(total.count(MATCHES) for total in some)
