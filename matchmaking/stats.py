"""Who waits and who is in a call, as it is in Valkey: blocking, read-only, for the admin and for commands."""

import time
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
import redis

from aleatoria.operators.stats import Total, ask_all, asking
from matchmaking.services import WAITS
from matchmaking.store.pool import CALLERS, CALLS, LEASES, WAITING

SHOWN = 200
"""Users and calls that are listed; the number of all is given beside."""


class Waiting(msgspec.Struct, frozen=True):
    """Somebody who waits."""

    user: str
    alive_for_seconds: float | None
    """Unless there is another sign of life; None when there never was one."""


class Call(msgspec.Struct, frozen=True):
    """A call that is up; `asked` is the impolite one."""

    asked: str
    chosen: str


class Pool(msgspec.Struct, frozen=True):
    """The pool and the calls, in numbers and in part by name."""

    waiting: int
    calls: int
    first_waiting: list[Waiting]
    first_calls: list[Call]


def pool(client: redis.Redis) -> Pool:
    """As it is now."""
    waiting: int = client.scard(WAITING)
    calling: int = client.hlen(CALLS)
    return Pool(waiting, calling // 2, _first_waiting(client), _first_calls(client))


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


def _first_calls(client: redis.Redis) -> list[Call]:
    some = islice(client.hscan_iter(CALLS, count=2 * SHOWN), 2 * SHOWN)
    pairs = sorted({tuple(sorted([user.decode(), peer.decode()])) for user, peer in some})
    asked = ask_all(client, (asking("sismember", CALLERS, one) for one, _ in pairs))
    return [Call(one, other) if first else Call(other, one) for (one, other), first in zip(pairs, asked, strict=True)]


class Standing(msgspec.Struct, frozen=True):
    """What one user is doing: he waits, is in a call with `peer`, or neither."""

    waits: bool
    peer: str
    alive_for_seconds: float | None


def standing(client: redis.Redis, user: str) -> Standing:
    """As it is now."""
    peer: Any = client.hget(CALLS, user)
    until = client.zscore(LEASES, user)
    left = None if until is None else round(until - time.time(), 1)
    return Standing(bool(client.sismember(WAITING, user)), peer.decode() if peer else "", left)


def median_wait(some: Sequence[Total]) -> float | None:
    """Seconds that half of those waited who had to, in these hours; None when nobody had to.

    Waits are counted by how long they were, roughly: within such a stretch they are taken to be spread evenly.
    """
    counts = [sum(total.counts.get(f"waits:{bound}", 0) for total in some) for bound in (*WAITS, "longer")]
    half, below = sum(counts) / 2, 0.0
    if not half:
        return None
    for count, shortest, longest in zip(counts, (0.0, *WAITS), (*WAITS, WAITS[-1]), strict=True):
        if below + count >= half:
            return shortest + (longest - shortest) * (half - below) / count
        below += count
    return WAITS[-1]


def matches(counts: Mapping[str, int]) -> int:
    """How many pairs were made."""
    return counts.get("matches", 0)
