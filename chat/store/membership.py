"""Which users are in which rooms: `room:members:{room}` and `user:rooms:{user}`, two sets that change together.

Joining and renewing extend the expiry of both keys. A set that has lost its last entry is gone. Operators' tools run
`JOIN` and `LEAVE` too, with a blocking client. Whoever changes the scripts' KEYS or ARGV changes those callers too.
"""

from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from django.conf import settings

from aleatoria.valkey import keys
from aleatoria.valkey.link import Link
from aleatoria.valkey.script import Script
from aleatoria.wire import clock

_FILE = Path(__file__)
JOIN = Script(_FILE.with_name("membership_join.lua"))
LEAVE = Script(_FILE.with_name("membership_leave.lua"))
_RENEW = Script(_FILE.with_name("membership_renew.lua"))
_SWEEP = Script(_FILE.with_name("membership_sweep.lua"))
MEMBERS = keys.own("room:members:", "set", "members of a room")
ROOMS = keys.own("user:rooms:", "set", "rooms a user is in")
MAX_REMEMBERED = 100_000
"""Users whose rooms memory holds during an outage; beyond that, those who have been quiet longest are forgotten."""
SWEPT_AT_ONCE = 1000
"""Members of a room that one sweep looks at."""


class TooManyRooms(Exception):
    """The user is in as many rooms as a user may be in."""


class Membership(Protocol):
    """The rooms that users are in."""

    async def join(self, user: str, room: str) -> None:
        """Make a user a member of a room; TooManyRooms when the user may not be in another one."""

    async def leave(self, user: str, room: str) -> None:
        """End a user's membership of a room, if there is one."""

    async def rooms(self, user: str) -> set[str]:
        """The rooms that a user is in."""


def members_key(room: str) -> str:
    """The key of a room's members."""
    return f"{MEMBERS}{room}"


def rooms_key(user: str) -> str:
    """The key of a user's rooms."""
    return f"{ROOMS}{user}"


def _ttl() -> int:
    return settings.MEMBERSHIP_TTL // clock.MILLISECOND


def _sides(user: str, room: str) -> list[str]:
    return [rooms_key(user), members_key(room)]


class ValkeyMembership:
    """Membership that outlasts connections and restarts. A day without a sign of life ends it."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def join(self, user: str, room: str) -> None:
        if not await self._link.run(JOIN, _sides(user, room), user, room, settings.MAX_ROOMS_PER_USER, _ttl()):
            raise TooManyRooms

    async def leave(self, user: str, room: str) -> None:
        await self._link.run(LEAVE, _sides(user, room), user, room)

    async def rooms(self, user: str) -> set[str]:
        return {room.decode() for room in await self._link.execute("SMEMBERS", rooms_key(user))}

    def renew(self, user: str, rooms: Iterable[str]) -> None:
        """Keep the memberships of a user who is in `rooms` for another while; nobody waits for this."""
        rooms = list(rooms)
        touched = [rooms_key(user), *map(members_key, rooms)]
        self._link.post_run(_RENEW, touched, user, _ttl(), *rooms)

    def sweep(self, room: str) -> None:
        """Take out members who have been away for too long, in a large room some of them; nobody waits for this."""
        self._link.post_run(_SWEEP, [members_key(room)], room, ROOMS, SWEPT_AT_ONCE)

    def write_back(self, user: str, joined: Iterable[str], left: Iterable[str]) -> None:
        """Apply what a user joined and left during an outage, ahead of whatever is sent to Valkey next."""
        for room in left:
            self._link.post_run(LEAVE, _sides(user, room), user, room)
        for room in joined:
            self._link.post_run(JOIN, _sides(user, room), user, room, settings.MAX_ROOMS_PER_USER, _ttl())


class MemoryMembership:
    """The memberships that this process knows of during an outage: who was seen in which room, and who left which."""

    def __init__(self) -> None:
        self._users: OrderedDict[str, tuple[set[str], set[str]]] = OrderedDict()

    async def join(self, user: str, room: str) -> None:
        joined, left = self._of(user)
        if room not in joined and len(joined) >= settings.MAX_ROOMS_PER_USER:
            raise TooManyRooms
        joined.add(room)
        left.discard(room)

    async def leave(self, user: str, room: str) -> None:
        joined, left = self._of(user)
        joined.discard(room)
        # A client can leave rooms of any name, so there has to be a bound. It is twice the rooms that a user can be in.
        if len(left) < 2 * settings.MAX_ROOMS_PER_USER:
            left.add(room)

    async def rooms(self, user: str) -> set[str]:
        return self.amend(user, set())

    def amend(self, user: str, rooms: set[str]) -> set[str]:
        """The rooms a user is in: those that Valkey says, corrected by what it has not been told yet."""
        joined, left = self._users.get(user, (set(), set()))
        return (rooms | joined) - left

    def remember(self, user: str, rooms: Iterable[str]) -> None:
        """Note that a user is in these rooms while an outage begins."""
        self._of(user)[0].update(rooms)

    def take_all(self) -> list[tuple[str, set[str], set[str]]]:
        """Each user with the rooms joined and the rooms left, to be written back. They are forgotten here."""
        taken = [(user, joined, left) for user, (joined, left) in self._users.items()]
        self._users.clear()
        return taken

    def _of(self, user: str) -> tuple[set[str], set[str]]:
        known = self._users.setdefault(user, (set(), set()))
        self._users.move_to_end(user)
        if len(self._users) > MAX_REMEMBERED:
            self._users.popitem(last=False)
        return known
