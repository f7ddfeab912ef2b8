"""The messages between two users: `dm:{a}:{b}` with the ids sorted, a list of lines, oldest first."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from django.conf import settings

from aleatoria.valkey import keys
from aleatoria.valkey.link import Link
from aleatoria.valkey.publication import Publication
from aleatoria.valkey.script import Script
from aleatoria.wire import clock
from chat.store import repeats
from chat.store.line import PRELUDE, created_in
from chat.store.paging import Entry, Page, Position, page_of
from chat.store.repeats import Kept, Mark
from chat.store.tidying import Tidying

PREFIX = keys.own("dm:", "list", "messages between two users")
CONVERSATIONS = keys.own("user:dms:", "zset", "with whom a user has conversations")
_APPEND = Script(Path(__file__).with_name("direct_history_append.lua"), PRELUDE)
_SWEEP = Script(Path(__file__).with_name("direct_history_sweep.lua"), PRELUDE)
_READ = Script(Path(__file__).with_name("direct_history_read.lua"), PRELUDE)
_END_OF_TIME = 253_402_300_799_999_999  # the last createTime with a year of four digits


def key(one: str, other: str) -> str:
    """The key of two users' messages. It is unambiguous, as an id has no colon."""
    first, second = sorted([one, other])
    return f"{PREFIX}{first}:{second}"


def conversations_key(user: str) -> str:
    """The key of the set of those a user has conversations with, sorted by the microseconds of the last message."""
    return f"{CONVERSATIONS}{user}"


class DirectHistory:
    """Messages between two users. There is no memory twin: while Valkey is away they are not kept."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._tidying = Tidying()

    @staticmethod
    def moment_at(micros: int) -> str:
        """The createTime of a message of that time, in microseconds since 1970."""
        return clock.text(min(max(micros, 0), _END_OF_TIME))

    async def append(
        self, sender: str, recipient: str, line: str, copies: Sequence[Publication], *, created: str, mark: Mark | None
    ) -> Kept:
        """Keep a message and publish its copies in one step, unless the same message has been kept before.

        The last copy is the sender's own. One before it is the recipient's, and is published as `incoming`.
        """
        ttl, limit = settings.MESSAGE_TTL // clock.MILLISECOND, settings.ROOM_HISTORY_MAX
        touched = [key(sender, recipient), conversations_key(sender), conversations_key(recipient)]
        micros = clock.micros(created)
        oldest = micros - settings.MESSAGE_TTL // clock.MICROSECOND
        oldest_text = clock.text(oldest) if self._tidying.is_due(touched[0]) else ""
        kept = (created, micros, line, oldest_text, oldest, limit, ttl, sender, recipient)
        marking = ("", 0) if mark is None else (mark.value, repeats.LASTS_MILLISECONDS)
        marked = [] if mark is None else [mark.key]
        return Kept.under(mark, await self._link.run(_APPEND, [*touched, *marked], *kept, *marking, *chain(*copies)))

    def sweep(self, conversation: str) -> None:
        """Drop expired messages of the conversation at this key, which may get no new ones; nobody waits for this."""
        self._link.post_run(_SWEEP, [conversation], _oldest_kept())

    async def older(self, one: str, other: str, than: Position | None, limit: int) -> Page:
        """Up to `limit` messages before a position, oldest last. Without a position, the last messages."""
        ties, rest = await self._read(one, other, "older", than, limit)
        return page_of(ties[::-1], rest[::-1], than, limit, newer=False)

    async def newer(self, one: str, other: str, than: Position, limit: int) -> Page:
        """Up to `limit` messages after a position; oldest first."""
        ties, rest = await self._read(one, other, "newer", than, limit)
        return page_of(ties, rest, than, limit, newer=True)

    async def _read(
        self, one: str, other: str, direction: str, position: Position | None, limit: int
    ) -> tuple[list[Entry], list[Entry]]:
        moment = position.moment if position else ""
        ties, rest = await self._link.run(_READ, [key(one, other)], direction, moment, limit + 1, _oldest_kept())
        return _entries(ties), _entries(rest)


def _oldest_kept() -> str:
    return clock.text(clock.now() - settings.MESSAGE_TTL // clock.MICROSECOND)


def _entries(lines: list[bytes]) -> list[Entry]:
    return [Entry(line, created_in(line)) for line in lines]
