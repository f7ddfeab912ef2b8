"""The pool of waiting users and their calls. This module knows nothing of sockets."""

import time
from typing import NamedTuple

from aleatoria.valkey.failover import Failover
from aleatoria.valkey.link import Link
from aleatoria.valkey.pipeline import Unavailable
from matchmaking.store.memory_pool import MemoryPool
from matchmaking.store.pool import Outcome, Parted, Pool, Standing, ValkeyPool

WAITS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""The bounds, in seconds, of the classes in which waits are counted."""
RESTORE_WITHIN = 10.0
"""Seconds after an outage in which every process restores its users, so no lease counts as expired."""


class Ended(NamedTuple):
    """A call that has ended, of which `user` is to be told. `at` is the moment of the store's step, in microseconds."""

    user: str
    peer: str
    at: int


class CallServices:
    """The pool and the calls: Valkey's, or during an outage those of this process."""

    def __init__(self, link: Link) -> None:
        self._health = link.health
        self._shared = ValkeyPool(link, time.time)
        self._own = MemoryPool(time.time)
        self._pool: Failover[Pool] = Failover(self._shared, self._own, link.health)

    async def request(self, *, user: str, skipping: str) -> Outcome:
        """Pair a user with a random peer, or let them wait. A user in a call keeps it unless they skip its peer."""
        return await self._pool.use(lambda store: store.request(user, skipping))

    async def offer(self, *, user: str) -> Parted:
        """Put a user into the pool. A call they are in ends."""
        return await self._pool.use(lambda store: store.offer(user))

    async def withdraw(self, *, user: str) -> int:
        """Take a user out of the pool; returns the moment of the step."""
        return await self._pool.use(lambda store: store.withdraw(user))

    async def end(self, *, user: str, peer: str) -> int:
        """End the call between two users; returns the moment of the step, 0 when they are in no call."""
        return await self._pool.use(lambda store: store.end(user, peer))

    async def quit_all(self, *, user: str, since: float) -> Parted:
        """Take a user out of the pool and end their call, unless they have waited or called again `since`."""
        return await self._pool.use(lambda store: store.quit(user, since))

    async def hear_of_end(self, *, user: str, peer: str) -> None:
        """Note that another process has ended a call, which it cannot write down while Valkey refuses writes."""
        if not self._health.writable:
            await self._own.end(user, peer)

    async def are_in_a_call(self, *, user: str, peer: str) -> bool:
        """Whether two users are in a call with each other."""
        return await self._pool.use(lambda store: store.peer(user)) == peer

    async def hold(self, *, user: str) -> None:
        """Shorten the lease of a user whose connection is lost to the time in which they may come back."""
        await self._pool.use(lambda store: store.hold(user))

    async def renew(self, *, users: list[str]) -> list[str]:
        """Renew the leases of users; returns those whose lease had already expired."""
        return await self._pool.use(lambda store: store.renew(users)) if users else []

    async def sweep(self) -> list[Ended]:
        """Remove users whose leases have expired; returns whom to tell that a call has ended: both sides."""
        if time.time() - self._health.since < RESTORE_WITHIN:
            return []
        swept = await self._pool.use(lambda store: store.sweep())
        over = [(user, parted) for user, parted in swept if parted.peer]
        return [Ended(*pair, at) for user, (peer, at) in over for pair in ((peer, user), (user, peer))]

    async def count(self) -> tuple[int, int]:
        """The number of waiting users and the number of calls."""
        return await self._pool.use(lambda store: store.count())

    def remember(self, standings: list[Standing]) -> None:
        """Take over into memory what the users of this process are doing: an outage begins."""
        self._own.remember(standings)

    async def write_back(self) -> list[Ended]:
        """Write to Valkey what the users of this process are doing; returns the calls that this ends."""
        return await self.restore(self._own.take_all())

    async def restore(self, standings: list[Standing]) -> list[Ended]:
        """Write to Valkey what these users are doing, whatever it says of them; returns the calls that this ends."""
        # All commands are sent before the first is awaited, so no other command comes between them.
        restoring = [self._shared.restore(standing) for standing in standings]
        ended, held = list[Ended](), set[tuple[str, str]]()
        for standing, result in zip(standings, restoring, strict=True):
            try:
                (freed, at), is_held = await result
            except Unavailable:
                continue  # the next outage has begun, which takes them over again
            if freed:
                ended.append(Ended(freed, standing.user, at))
            if is_held:
                held.add((standing.user, standing.peer))
            else:
                ended.append(Ended(standing.user, standing.peer, at))
        # What stood in the way of a call for one of its users, the later step for the other one has ended.
        return [one for one in ended if (one.peer, one.user) not in held]
