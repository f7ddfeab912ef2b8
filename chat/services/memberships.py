"""Who is in which room. A membership survives reconnects, restarts and outages of Valkey."""

from collections.abc import Iterable
from contextlib import suppress

from aleatoria.valkey.failover import Failover
from aleatoria.valkey.link import Link
from aleatoria.valkey.pipeline import Unavailable
from chat.store.membership import Membership, MemoryMembership, ValkeyMembership

Present = Iterable[tuple[str, Iterable[str]]]
"""Connected users, each with the rooms they are in."""


class Memberships:
    """Memberships in Valkey; during an outage in memory, written back when it is over."""

    def __init__(self, link: Link) -> None:
        self._kept = ValkeyMembership(link)
        self._remembered = MemoryMembership()
        self._membership: Failover[Membership] = Failover(self._kept, self._remembered, link.health)

    async def join(self, *, user: str, room: str) -> None:
        """Make a user a member of a room; TooManyRooms when they may not be in another."""
        await self._membership.use(lambda store: store.join(user, room))

    async def leave(self, *, user: str, room: str) -> None:
        """End a user's membership of a room."""
        await self._membership.use(lambda store: store.leave(user, room))

    async def return_to_rooms(self, *, user: str) -> set[str]:
        """The rooms that a user who connects is in, as far as is known now; their memberships are renewed."""
        kept: set[str] = set()
        with suppress(Unavailable):
            kept = await self._kept.rooms(user)
        self._kept.renew(user, kept)
        return self._remembered.amend(user, kept)

    async def rooms_of(self, *, user: str) -> set[str]:
        """The rooms of a user who need not be connected here; none while Valkey is away."""
        try:
            return await self._kept.rooms(user)
        except Unavailable:
            return set()

    async def renew(self, present: Present) -> None:
        """Renew the memberships of connected users."""
        for user, rooms in present:
            self._kept.renew(user, rooms)

    def remember(self, present: Present) -> None:
        """Take note of the memberships of connected users: an outage begins."""
        for user, rooms in present:
            self._remembered.remember(user, rooms)

    async def write_back(self) -> None:
        """Write to Valkey who joined and left during an outage that is over."""
        for user, joined, left in self._remembered.take_all():
            self._kept.write_back(user, joined, left)
