"""Who is online: `users:online`, a sorted set; score: until when a user counts as online, in seconds since 1970.

Each process renews its own users and asks no other process. When several processes have sockets of a user, each of them
keeps the user online. Times are Valkey's own, so no clocks have to agree.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from aleatoria.valkey import keys
from aleatoria.valkey.link import Link
from aleatoria.valkey.script import Script

KEY = keys.own("users:online", "zset", "until when each user counts as online")
RENEW_EVERY = 10.0
"""Seconds between two renewals of a process."""
LEASE = 25.0
"""Seconds that a renewal counts. It spans two and a half renewals, so that one slow moment takes nobody offline."""
GRACE = 15.0
"""Seconds for which a user still counts as online after a process has closed their last socket there. This is longer
than the time between two renewals, so another process that has a socket of the user renews in time."""
_AT_ONCE = 500
"""Users in one command, so that no command takes long."""

_RENEW = Script(Path(__file__).with_name("presence_renew.lua"))
_MEMBERS = Script(Path(__file__).with_name("presence_members.lua"))
_SWEEP = Script(Path(__file__).with_name("presence_sweep.lua"))


class Presence:
    """Which users are online. There is no memory twin: while Valkey is away nobody is told who comes and goes."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def renew(self, users: Sequence[str]) -> list[str]:
        """Count these users as online; returns those who did not count as online until now."""
        replies = await asyncio.gather(*(self._link.run(_RENEW, [KEY], LEASE, *some) for some in _stretches(users)))
        return [user.decode() for reply in replies for user in reply]

    def write_back(self, users: Sequence[str]) -> None:
        """Count these users as online after an outage, ahead of whatever is sent to Valkey next."""
        for some in _stretches(users):
            self._link.post_run(_RENEW, [KEY], LEASE, *some)

    async def arrive(self, user: str) -> bool:
        """Count a user who has connected as online; returns whether they were offline until now."""
        return bool(await self._link.run(_RENEW, [KEY], LEASE, user))

    def close(self, user: str) -> None:
        """Let a user without a socket here go offline soon, unless another process has one; nobody waits for this."""
        self._link.post_run(_RENEW, [KEY], GRACE, user)

    async def members(self, key: str, limit: int) -> list[tuple[str, bool]]:
        """The users in the set at `key`, by name, and whether each is online. Of more than `limit`, random ones."""
        found = await self._link.run(_MEMBERS, [key, KEY], limit)
        return sorted((user.decode(), bool(is_online)) for user, is_online in zip(found[::2], found[1::2], strict=True))

    async def sweep(self) -> list[str]:
        """Take out users who are no longer online, a hundred at most. Each is returned to one process only."""
        return [user.decode() for user in await self._link.run(_SWEEP, [KEY], 100)]


def _stretches(users: Sequence[str]) -> list[Sequence[str]]:
    return [users[start : start + _AT_ONCE] for start in range(0, len(users), _AT_ONCE)]
