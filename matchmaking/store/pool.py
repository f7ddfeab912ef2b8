"""Which users wait for a call and who is in a call with whom: `available:webrtc` and the keys beside it.

A user waits, is in one call, or neither. Both twins behave alike, but only Valkey is shared with other processes.
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
# The braces put these keys into the same cluster slot as the set of those who wait.
LEASES = keys.own(f"{{{WAITING}}}:leases", "zset", "until when who waits or is in a call counts as alive")
CALLS = keys.own(f"{{{WAITING}}}:pairs", "hash", "who is in a call with whom, both ways")
CALLERS = keys.own(f"{{{WAITING}}}:callers", "set", "the one of each call who asked")
KEYS = [WAITING, LEASES, CALLS, CALLERS]

Clock = Callable[[], float]
"""Gives seconds since 1970."""


class Outcome(NamedTuple):
    """The outcome of a request for a random peer. An empty string means nobody."""

    peer: str
    role: str
    """`impolite` for the user who asked, `polite` for the user who waited."""
    freed: str
    """The peer whom the user has skipped and who is now in no call."""
    fresh: bool
    """Whether the call is new; otherwise it is the one that the user was in already."""
    at: int
    """The moment of this, in microseconds by the clock that all processes share."""


class Parted(NamedTuple):
    """The end of a call: the peer of the user, or "" when there was no call, and the moment as in Outcome."""

    peer: str
    at: int


class Standing(NamedTuple):
    """What the process with a user's socket knows of the user: in a call, waiting, or neither (`gone`)."""

    user: str
    peer: str = ""
    role: str = ""
    gone: bool = False
    speaks_for_peer: bool = False


class Pool(Protocol):
    """Users who wait for a random peer, and their calls."""

    async def request(self, user: str, skipping: str) -> Outcome:
        """Pair a user with a random one who waits, or let the user wait. A call goes on, unless its peer is skipped."""

    async def offer(self, user: str) -> Parted:
        """Let a user wait; a call that the user was in ends."""

    async def withdraw(self, user: str) -> int:
        """Let a user no longer wait, and return the moment; a call goes on."""

    async def end(self, user: str, peer: str) -> int:
        """End the call between two users; returns the moment, or 0 when they were in no call with each other."""

    async def quit(self, user: str, since: float = math.inf) -> Parted:
        """Take out a user who is gone, and end their call, unless they have waited or called anew `since`."""

    async def peer(self, user: str) -> str:
        """The peer with whom a user is in a call, or ""."""

    async def hold(self, user: str) -> None:
        """Note that a user has lost the connection. They have a short time to come back."""

    async def renew(self, users: list[str]) -> list[str]:
        """Extend the leases of users whose sockets are open; returns those who have no lease to extend."""

    async def sweep(self) -> list[tuple[str, Parted]]:
        """Take out the users whose leases have run out; returns each with the call that has ended."""

    async def count(self) -> tuple[int, int]:
        """How many users wait, and how many calls there are."""


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
        """Write back after an outage what this process knows of a user of its own. It is sent before it is awaited.

        Returns the other call of the user that this has ended, if any, and whether the peer is still the user's.
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
    """Seconds for which a sign of life counts."""
    return settings.CALL_LEASE.total_seconds()


def hold_seconds() -> float:
    """Seconds that a user who has lost the connection has to come back."""
    return settings.CALL_HOLD.total_seconds()
