"""What a user has read: `user:read:{user}`, a hash: with whom a conversation is → up to which createTime.

With it and `user:dms:{user}`, which each direct message sets, his conversations are listed.
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
"""Conversations that are listed, and unread messages that are counted of each."""
_LIST = Script(Path(__file__).with_name("conversations_list.lua"), PRELUDE)
_MARK_READ = Script(Path(__file__).with_name("conversations_mark_read.lua"))


class Conversation(NamedTuple):
    """With whom, the last line, and how many of the other one's are unread, LISTED at most."""

    other: str
    last: bytes
    unread: int


def read_key(user: str) -> str:
    """Where it stands what a user has read."""
    return f"{READ}{user}"


class Conversations:
    """The conversations of users. There is no memory twin: while Valkey is away they have none."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def of(self, user: str) -> list[Conversation]:
        """The newest first."""
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
        # The scores are up to a second old; the last lines are not.
        return sorted(listed, key=lambda one: created_in(one.last), reverse=True)

    def mark_read(self, user: str, other: str, created: str) -> None:
        """He has read everything up to this createTime; nobody waits for it."""
        ttl = settings.MESSAGE_TTL // clock.MILLISECOND
        self._link.post_run(_MARK_READ, [conversations_key(user), read_key(user)], other, created, ttl)
