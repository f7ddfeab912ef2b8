"""Who waits for a call and who is in one with whom: `available:webrtc` and the keys beside it (design §5).

A user waits, is in one call, or neither. Both twins behave alike; only Valkey is shared with other processes.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from django.conf import settings

from aleatoria.valkey import keys
from aleatoria.valkey.link import Link
from aleatoria.valkey.script import Script

WAITING = keys.own("available:webrtc", "set", "users who wait for a call")
# The braces put these into the cluster slot of the customer's key.
LEASES = keys.own(f"{{{WAITING}}}:leases", "zset", "until when who waits or is in a call counts as alive")
CALLS = keys.own(f"{{{WAITING}}}:pairs", "hash", "who is in a call with whom, both ways")
CALLERS = keys.own(f"{{{WAITING}}}:callers", "set", "the one of each call who asked")
KEYS = [WAITING, LEASES, CALLS, CALLERS]

Clock = Callable[[], float]
"""Gives seconds since 1970."""


class Outcome(NamedTuple):
    """What a request led to. Empty strings: nobody."""

    peer: str
    role: str
    """`impolite` for the one who asked, `polite` for the one who waited."""
    freed: str
    """Whom the skip has left alone."""
    fresh: bool
    """Whether the pair is new; else it is the one he was in."""
    at: int
    """The moment, in microseconds by the clock that all processes share."""


class Parted(NamedTuple):
    """Whom a call was with that has ended, or ""; and the moment, as in Outcome."""

    peer: str
    at: int


class Standing(NamedTuple):
    """What the process that holds a user's socket knows of him: in a call, waiting, or (gone) neither."""

    user: str
    peer: str = ""
    role: str = ""
    gone: bool = False
    speaks_for_peer: bool = False


class Pool(Protocol):
    """Users who wait for a random peer, and their calls."""

    async def request(self, user: str, skipping: str) -> Outcome:
        """Pair him with a random one who waits, else let him wait. One in a call keeps it, unless he skips it."""

    async def offer(self, user: str) -> Parted:
        """Let him wait; a call he was in ends."""

    async def withdraw(self, user: str) -> int:
        """Let him no longer wait, from this moment on; a call goes on."""

    async def end(self, user: str, peer: str) -> int:
        """End the call between the two; the moment, or 0 when there was none."""

    async def quit(self, user: str, since: float = math.inf) -> Parted:
        """He is gone; a call he was in ends. Nothing does when he has waited or called anew `since`."""

    async def peer(self, user: str) -> str:
        """Whom he is in a call with, or ""."""

    async def hold(self, user: str) -> None:
        """His connection is lost; he may come back for a while."""

    async def renew(self, users: list[str]) -> list[str]:
        """Their sockets are open; those who are taken for dead all the same."""

    async def sweep(self) -> list[tuple[str, Parted]]:
        """Take out those whose lease has run out: each, and whom his call was with."""

    async def count(self) -> tuple[int, int]:
        """How many users wait, and how many calls are up."""


def _script(name: str) -> Script:
    here = Path(__file__)
    return Script(here.with_name(f"pool_{name}.lua"), prelude=here.with_name("pool_prelude.lua"))


_REQUEST, _OFFER, WITHDRAW, _END = _script("request"), _script("offer"), _script("withdraw"), _script("end")
QUIT, _RENEW, _HOLD, _SWEEP = _script("quit"), _script("renew"), _script("hold"), _script("sweep")
_RESTORE = _script("restore")


class ValkeyPool:
    """The pool of all processes; each step is one script."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock

    async def request(self, user: str, skipping: str) -> Outcome:
        now = self._clock()
        peer, role, freed, fresh, at = await self._link.run(_REQUEST, KEYS, user, skipping, now, now + lease_seconds())
        return Outcome(peer.decode(), role.decode(), freed.decode(), bool(fresh), at)

    async def offer(self, user: str) -> Parted:
        freed, at = await self._link.run(_OFFER, KEYS, user, self._clock() + lease_seconds())
        return Parted(freed.decode(), at)

    async def withdraw(self, user: str) -> int:
        return int(await self._link.run(WITHDRAW, KEYS, user))

    async def end(self, user: str, peer: str) -> int:
        return int(await self._link.run(_END, KEYS, user, peer))

    async def quit(self, user: str, since: float = math.inf) -> Parted:
        freed, at = await self._link.run(QUIT, KEYS, user, since + lease_seconds())
        return Parted(freed.decode(), at)

    async def peer(self, user: str) -> str:
        peer: bytes | None = await self._link.execute("HGET", CALLS, user)
        return peer.decode() if peer else ""

    async def hold(self, user: str) -> None:
        await self._link.run(_HOLD, KEYS, user, self._clock() + hold_seconds())

    async def renew(self, users: list[str]) -> list[str]:
        return [user.decode() for user in await self._link.run(_RENEW, KEYS, self._clock() + lease_seconds(), *users)]

    async def sweep(self) -> list[tuple[str, Parted]]:
        at, *swept = await self._link.run(_SWEEP, KEYS, self._clock())
        pairs = zip(swept[::2], swept[1::2], strict=True)
        return [(user.decode(), Parted(peer.decode(), at)) for user, peer in pairs]

    async def count(self) -> tuple[int, int]:
        waiting, calling = await asyncio.gather(self._link.execute("SCARD", WAITING), self._link.execute("HLEN", CALLS))
        return waiting, calling // 2

    def restore(self, standing: Standing) -> Awaitable[tuple[Parted, bool]]:
        """After an outage: what this process knows of a user of its own is so. Sent at once, before it is awaited.

        Gives whom another call of his was with, which this ends, and whether his peer is still his.
        """
        user, peer, role = standing.user, standing.peer, standing.role
        now, speaks = self._clock(), int(standing.speaks_for_peer)
        doing = "gone" if standing.gone else "calling" if peer else "waiting"
        known = (user, doing, peer, role, now + lease_seconds(), now + hold_seconds(), speaks)
        return _restored(self._link.run(_RESTORE, KEYS, *known))


async def _restored(reply: Awaitable[list[Any]]) -> tuple[Parted, bool]:
    freed, held, at = await reply
    return Parted(freed.decode(), at), bool(held)


def lease_seconds() -> float:
    """How long a sign of life counts."""
    return settings.CALL_LEASE.total_seconds()


def hold_seconds() -> float:
    """How long one whose connection is lost may come back."""
    return settings.CALL_HOLD.total_seconds()
