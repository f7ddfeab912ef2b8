"""What a user has read: `user:read:{user}`, a hash from the other user to the createTime up to which all is read.

A user's conversations are listed from it and from `user:dms:{user}`, to which each direct message adds.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from aleatoria.valkey import keys
from aleatoria.valkey.link import Link
from aleatoria.valkey.script import Script
from aleatoria.wire import clock
from chat.store import direct_history
from chat.store.direct_history import conversations_key
from chat.store.line import PRELUDE, created_in

READ = keys.own("user:read:", "hash", "up to when a user has read each conversation")
LISTED = 100
"""Conversations that are listed at most, and unread messages that are counted in each at most."""
_LIST = Script(Path(__file__).with_name("conversations_list.lua"), PRELUDE)
_MARK_READ = Script(Path(__file__).with_name("conversations_mark_read.lua"))


class Conversation(NamedTuple):
    """The other user, the last line, and how many lines of the other user are unread, LISTED at most."""

    other: str
    last: bytes
    unread: int


def read_key(user: str) -> str:
    """The key of the hash that says what a user has read."""
    return f"{READ}{user}"


class Conversations:
    """The conversations of users. There is no memory twin: while Valkey is away nothing is listed."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def of(self, user: str) -> list[Conversation]:
        """A user's conversations, the newest first."""
        oldest = clock.now() - settings.MESSAGE_TTL // clock.MICROSECOND
        found: Sequence[bytes | int] = await self._link.run(
            _LIST,
            [conversations_key(user), read_key(user)],
            user,
            direct_history.PREFIX,
            clock.text(oldest),
            oldest,
            LISTED,
        )
        threes = zip(found[::3], found[1::3], found[2::3], strict=True)
        listed = [Conversation(bytes(other).decode(), bytes(last), int(unread)) for other, last, unread in threes]
        # The script sorts by scores, which may be a second old. The last lines are up to date.
        return sorted(listed, key=lambda one: created_in(one.last), reverse=True)

    def mark_read(self, user: str, other: str, created: str) -> None:
        """Note that a user has read everything up to this createTime; nobody waits for this."""
        ttl = settings.MESSAGE_TTL // clock.MILLISECOND
        self._link.post_run(_MARK_READ, [conversations_key(user), read_key(user)], other, created, ttl)
