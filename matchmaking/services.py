"""Who waits, who is in a call with whom. Knows nothing of sockets."""

import time
from typing import NamedTuple

from aleatoria.valkey.failover import Failover
from aleatoria.valkey.link import Link
from aleatoria.valkey.pipeline import Unavailable
from matchmaking.store.memory_pool import MemoryPool
from matchmaking.store.pool import Outcome, Parted, Pool, Standing, ValkeyPool

WAITS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Seconds by which waits are told apart where they are counted."""
RESTORE_WITHIN = 10.0
"""Seconds after an outage in which all processes say who is alive, and nobody is taken for dead."""


class Ended(NamedTuple):
    """A call that is over, to be told to `user`; the moment is the store's."""

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
        """A random peer, or a place in the pool; one in a call keeps it unless he skips it."""
        return await self._pool.use(lambda store: store.request(user, skipping))

    async def offer(self, *, user: str) -> Parted:
        """Let him wait; a call he was in ends."""
        return await self._pool.use(lambda store: store.offer(user))

    async def withdraw(self, *, user: str) -> int:
        """Let him no longer wait, from this moment on."""
        return await self._pool.use(lambda store: store.withdraw(user))

    async def end(self, *, user: str, peer: str) -> int:
        """End the call between the two; the moment, or 0 when there was none."""
        return await self._pool.use(lambda store: store.end(user, peer))

    async def quit_all(self, *, user: str, since: float) -> Parted:
        """He is gone; a call he was in ends. Nothing does when he has waited or called anew `since`."""
        return await self._pool.use(lambda store: store.quit(user, since))

    async def hear_of_end(self, *, user: str, peer: str) -> None:
        """Note that another process has ended a call, which it cannot write down while Valkey refuses writes."""
        if not self._health.writable:
            await self._own.end(user, peer)

    async def are_in_a_call(self, *, user: str, peer: str) -> bool:
        """Whether the two are."""
        return await self._pool.use(lambda store: store.peer(user)) == peer

    async def hold(self, *, user: str) -> None:
        """His connection is lost; he may come back for a while."""
        await self._pool.use(lambda store: store.hold(user))

    async def renew(self, *, users: list[str]) -> list[str]:
        """Their sockets are open; those who are taken for dead all the same."""
        return await self._pool.use(lambda store: store.renew(users)) if users else []

    async def sweep(self) -> list[Ended]:
        """Those whose lease has run out are gone; whom to tell."""
        if time.time() - self._health.since < RESTORE_WITHIN:
            return []
        swept = await self._pool.use(lambda store: store.sweep())
        over = [(user, parted) for user, parted in swept if parted.peer]
        return [Ended(*pair, at) for user, (peer, at) in over for pair in ((peer, user), (user, peer))]

    async def count(self) -> tuple[int, int]:
        """How many users wait, and how many calls are up."""
        return await self._pool.use(lambda store: store.count())

    def remember(self, standings: list[Standing]) -> None:
        """An outage begins, and this is what the users of this process are doing."""
        self._own.remember(standings)

    async def write_back(self) -> list[Ended]:
        """An outage is over: what the users of this process are doing is so; whose calls are not, is told."""
        return await self.restore(self._own.take_all())

    async def restore(self, standings: list[Standing]) -> list[Ended]:
        """What this process knows of its users is so; whose calls that ends."""
        # All of them are sent before the first is awaited: nothing comes between.
        restoring = [self._shared.restore(standing) for standing in standings]
        ended, held = list[Ended](), set[tuple[str, str]]()
        for standing, result in zip(standings, restoring, strict=True):
            try:
                (freed, at), is_held = await result
            except Unavailable:
                continue  # the next outage has begun, and remembers them again
            if freed:
                ended.append(Ended(freed, standing.user, at))
            if is_held:
                held.add((standing.user, standing.peer))
            else:
                ended.append(Ended(standing.user, standing.peer, at))
        # What stood in the way of a call for one of its users, the later step for the other one has ended.
        return [one for one in ended if (one.peer, one.user) not in held]
