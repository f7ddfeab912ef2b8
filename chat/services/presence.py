"""Which users are online, over all processes, and which members of a room."""

import asyncio
import time
from collections.abc import Collection

from aleatoria.valkey.link import Link
from aleatoria.valkey.pipeline import Unavailable
from chat.services.messages import READ_WITHIN
from chat.store import membership, presence
from chat.store.presence import Presence

MEMBERS_LISTED = 1000
RENEW_EVERY = presence.RENEW_EVERY
"""Seconds between two renewals of those who are connected."""


class Presences:
    """Which users are online. While Valkey is away, nobody is reported as coming or going."""

    def __init__(self, link: Link) -> None:
        self._health = link.health
        self._presence = Presence(link)

    async def arrive(self, *, user: str) -> bool:
        """Count a user as online who has a socket here; whether they were offline until now."""
        try:
            return await self._presence.arrive(user)
        except Unavailable:
            return False

    async def renew(self, users: Collection[str]) -> list[str]:
        """Count these users as online; returns those who had been taken for offline, none just after an outage."""
        try:
            found = await self._presence.renew(list(users)) if users else []
        except Unavailable:
            return []
        return [] if self._has_just_come_back() else found

    def write_back(self, users: Collection[str]) -> None:
        """Count these users as online in a Valkey that is back and may have forgotten them."""
        self._presence.write_back(list(users))

    def close(self, *, user: str) -> None:
        """Let a user be offline soon who has no more socket in this process, unless another process has one."""
        self._presence.close(user)

    async def sweep(self) -> list[str]:
        """Take out the users whose time is up; each is returned to one process only. None just after an outage."""
        if self._has_just_come_back():
            return []
        try:
            return await self._presence.sweep()
        except Unavailable:
            return []

    async def members(self, *, room: str) -> list[tuple[str, bool]] | None:
        """Up to MEMBERS_LISTED members of a room, each with whether they are online; None while Valkey is away."""
        try:
            return await asyncio.wait_for(
                self._presence.members(membership.members_key(room), MEMBERS_LISTED), READ_WITHIN
            )
        except (Unavailable, TimeoutError):
            return None

    def _has_just_come_back(self) -> bool:
        """Whether other processes may not have said yet who is online."""
        return time.time() - self._health.back_at < presence.LEASE
