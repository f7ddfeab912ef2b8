"""The callers of one process, and what it does for all of them."""

import logging
from collections.abc import Iterable
from hashlib import blake2b
from typing import Protocol

from aleatoria.telemetry import metrics
from aleatoria.wire import envelope, groups
from aleatoria.wire.host import Host
from matchmaking import payloads
from matchmaking.services import CallServices, Ended
from matchmaking.store.pool import Standing

logger = logging.getLogger(__name__)

_HANGUPS = metrics.LabelledCounter(
    "aleatoria_hangups",
    "Users who were told that their call is over, by what the peer did.",
    "reason",
    ("hangup", "skipped", "disconnected", "timeout"),
)
_WAITING = metrics.Gauge("aleatoria_pool_users", "Users who wait in the pool, of all processes.")
_CALLS = metrics.Gauge("aleatoria_calls", "Random calls that are up, of all processes.")


class Holder(Protocol):
    """A socket that holds a user's side of a call, or their place in the pool."""

    @property
    def standing(self) -> Standing:
        """What the user is doing, as far as this socket knows."""


class Callers:
    """The users of one process who wait for a call, or are in one."""

    def __init__(self, host: Host, calls: CallServices) -> None:
        self.calls = calls
        self.holders: dict[str, Holder] = {}
        """By user, the socket of this process that holds their side."""
        self._layer = host.layer
        self._counted = 0, 0
        _WAITING.read = lambda: self._counted[0]
        _CALLS.read = lambda: self._counted[1]

    def standings(self) -> list[Standing]:
        """What the users are doing whose sides are held here."""
        standings = [holder.standing for holder in self.holders.values()]
        return [standing for standing in standings if not standing.gone]

    async def tell_holder(self, user: str, happened: str, **details: str | int) -> None:
        """Bring an event to the socket that holds a user's side, in whichever process it is."""
        await self._layer.group_send(groups.call_holder(user), {"type": happened} | details)

    async def tell_end(self, ended: Ended, reason: str) -> None:
        """Tell one user that their call is over, though the peer has not said so."""
        frame = envelope.encode(payloads.hangup(ended.peer, reason, to=ended.user))
        await self.tell_holder(ended.user, "call.ended", peer=ended.peer, frame=frame, at=ended.at)
        note_hangup(ended.user, ended.peer, reason)

    async def renew(self) -> None:
        """Renew the leases of those whose sides are held here.

        Some may have lost theirs although they are connected: another process gave them up while this one stood still.
        What they are doing is restored.
        """
        lost = set(await self.calls.renew(users=[standing.user for standing in self.standings()]))
        await self._tell_timeouts(
            await self.calls.restore([standing for standing in self.standings() if standing.user in lost])
        )

    async def sweep(self) -> None:
        """End the calls of those whose leases have run out, and tell both sides."""
        await self._tell_timeouts(await self.calls.sweep())

    async def count(self) -> None:
        """Refresh what the gauges of the pool and the calls show."""
        self._counted = await self.calls.count()

    def remember(self) -> None:
        """Take note of what everybody is doing: an outage begins."""
        self.calls.remember(self.standings())

    async def write_back(self) -> None:
        """Write to Valkey what everybody is doing, and tell those whose calls that ends: an outage is over."""
        await self._tell_timeouts(await self.calls.write_back())

    async def _tell_timeouts(self, ended: Iterable[Ended]) -> None:
        for one in ended:
            await self.tell_end(one, "timeout")


def call_id(one: str, other: str) -> str:
    """What log lines call the call between two users: the same on both sides."""
    return blake2b(" ".join(sorted([one, other])).encode(), digest_size=4).hexdigest()


def note_hangup(user: str, peer: str, reason: str) -> None:
    """Count and log that a user is told of the end of their call."""
    _HANGUPS.by[reason] += 1
    logger.info("the call of %s with %s is over: %s", user, peer, reason, extra={"call_id": call_id(user, peer)})
