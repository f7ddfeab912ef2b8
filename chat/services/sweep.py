"""Dropping what has expired where nobody writes any more."""

from contextlib import suppress

from aleatoria.valkey.link import Link
from aleatoria.valkey.pipeline import Unavailable
from chat.store import direct_history, membership, room_history
from chat.store.direct_history import DirectHistory
from chat.store.membership import ValkeyMembership
from chat.store.room_history import RoomHistory

EVERY = 1.0
"""Seconds between two stretches."""
AT_ONCE = 200
"""Keys looked at in one stretch. Few, so that nobody's messages wait for it."""


class Sweep:
    """A walk through all keys, a stretch at a time.

    Messages of a room where nobody speaks, and members who have been away for too long, have nobody else to drop them.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._rooms = RoomHistory(link)
        self._direct = DirectHistory(link)
        self._membership = ValkeyMembership(link)
        self.cursor = b"0"
        """Where the next stretch begins; 0 when a walk through all keys is complete."""

    async def __call__(self) -> None:
        """Go through the next stretch and drop what has expired; while Valkey is away nothing is done."""
        with suppress(Unavailable):
            self.cursor, found = await self._link.execute("SCAN", self.cursor, "COUNT", AT_ONCE)
            for key in (name.decode(errors="replace") for name in found):
                self._sweep(key)

    def _sweep(self, key: str) -> None:
        if key.startswith(room_history.PREFIX):
            self._rooms.sweep(key.removeprefix(room_history.PREFIX))
        elif key.startswith(direct_history.PREFIX):
            self._direct.sweep(key)
        elif key.startswith(membership.MEMBERS):
            self._membership.sweep(key.removeprefix(membership.MEMBERS))
