"""Who is in which room: `room:members:{room}` and `user:rooms:{user}`, two sets that change together."""

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
"""Users whose rooms memory holds during an outage; beyond, those who have been quiet longest are forgotten."""


SWEPT_AT_ONCE = 1000


class TooManyRooms(Exception):
    """The user is in as many rooms as he may be."""


class Membership(Protocol):
    """Who is in which room."""

    async def join(self, user: str, room: str) -> None:
        """Make him a member; TooManyRooms when he may not be in another."""

    async def leave(self, user: str, room: str) -> None:
        """End his membership, if there is one."""

    async def rooms(self, user: str) -> set[str]:
        """The rooms he is in."""


def members_key(room: str) -> str:
    """Where a room's members are."""
    return f"{MEMBERS}{room}"


def rooms_key(user: str) -> str:
    """Where a user's rooms are."""
    return f"{ROOMS}{user}"


def _ttl() -> int:
    return settings.MEMBERSHIP_TTL // clock.MILLISECOND


class ValkeyMembership:
    """Membership that survives disconnects and restarts; a day without a sign of life ends it."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def join(self, user: str, room: str) -> None:
        keys = [rooms_key(user), members_key(room)]
        if not await self._link.run(JOIN, keys, user, room, settings.MAX_ROOMS_PER_USER, _ttl()):
            raise TooManyRooms

    async def leave(self, user: str, room: str) -> None:
        await self._link.run(LEAVE, [rooms_key(user), members_key(room)], user, room)

    async def rooms(self, user: str) -> set[str]:
        return {room.decode() for room in await self._link.execute("SMEMBERS", rooms_key(user))}

    def renew(self, user: str, rooms: Iterable[str]) -> None:
        """A sign of life of somebody who is in `rooms`; nobody waits for it."""
        rooms = list(rooms)
        keys = [rooms_key(user), *(members_key(room) for room in rooms)]
        self._link.post_run(_RENEW, keys, user, _ttl(), *rooms)

    def sweep(self, room: str) -> None:
        """Take out of `room` whoever has been away for too long, of a large room a part; nobody waits for it."""
        self._link.post_run(_SWEEP, [members_key(room)], room, ROOMS, SWEPT_AT_ONCE)

    def write_back(self, user: str, joined: Iterable[str], left: Iterable[str]) -> None:
        """Apply what happened during an outage, ahead of whatever is sent to Valkey next."""
        for room in left:
            self._link.post_run(LEAVE, [rooms_key(user), members_key(room)], user, room)
        for room in joined:
            keys = [rooms_key(user), members_key(room)]
            self._link.post_run(JOIN, keys, user, room, settings.MAX_ROOMS_PER_USER, _ttl())


class MemoryMembership:
    """What this process knows during an outage: whom it saw in which room, and who left which."""

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
        # Of any room name, so that there is a bound; who leaves more than he can be in has left what matters.
        if len(left) < 2 * settings.MAX_ROOMS_PER_USER:
            left.add(room)

    async def rooms(self, user: str) -> set[str]:
        return self.amend(user, set())

    def amend(self, user: str, rooms: set[str]) -> set[str]:
        """What Valkey says the user is in, corrected by what it has not been told yet."""
        joined, left = self._users.get(user, (set(), set()))
        return (rooms | joined) - left

    def remember(self, user: str, rooms: Iterable[str]) -> None:
        """An outage begins, and this user is in these rooms."""
        self._of(user)[0].update(rooms)

    def take_all(self) -> list[tuple[str, set[str], set[str]]]:
        """Each user with the rooms he is in and those he left, to be written back; forgotten here."""
        taken = [(user, joined, left) for user, (joined, left) in self._users.items()]
        self._users.clear()
        return taken

    def _of(self, user: str) -> tuple[set[str], set[str]]:
        known = self._users.setdefault(user, (set(), set()))
        self._users.move_to_end(user)
        if len(self._users) > MAX_REMEMBERED:
            self._users.popitem(last=False)
        return known
