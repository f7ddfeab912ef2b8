"""The messages of a room: `room:messages:{room}`, a sorted set of lines; score: nanoseconds of createTime."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from aleatoria.valkey import keys
from aleatoria.valkey.link import Link
from aleatoria.valkey.publication import Publication
from aleatoria.valkey.script import Script
from aleatoria.wire import clock
from chat.store import repeats
from chat.store.paging import Entry, Page, Position, page_of
from chat.store.repeats import Kept, Mark
from chat.store.tidying import Tidying

PREFIX = keys.own("room:messages:", "zset", "messages of a room")
_APPEND = Script(Path(__file__).with_name("room_history_append.lua"))


def key(room: str) -> str:
    """The key of a room's messages."""
    return f"{PREFIX}{room}"


class RoomHistory:
    """Messages of rooms. There is no memory twin: while Valkey is away they are not kept."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._tidying = Tidying()

    @staticmethod
    def moment_at(micros: int) -> str:
        """The score of a message of that time, in microseconds since 1970."""
        return str(micros * 1000)

    async def append(self, room: str, line: str, publication: Publication, *, micros: int, mark: Mark | None) -> Kept:
        """Keep a message and publish it in one step, unless the same message has been kept before."""
        name, ttl = key(room), settings.MESSAGE_TTL // clock.MILLISECOND
        oldest = _oldest_kept() if self._tidying.is_due(name) else ""
        kept = (micros * 1000, line, *publication, ttl, oldest, settings.ROOM_HISTORY_MAX)
        if mark is None:
            return Kept.under(mark, await self._link.run(_APPEND, [name], *kept))
        marking = (mark.value, repeats.LASTS_MILLISECONDS)
        return Kept.under(mark, await self._link.run(_APPEND, [name, mark.key], *kept, *marking))

    def sweep(self, room: str) -> None:
        """Drop expired messages of a room, which may get no new ones; nobody waits for this."""
        self._link.post("ZREMRANGEBYSCORE", key(room), "-inf", f"({_oldest_kept()}")

    async def older(self, room: str, than: Position | None, limit: int) -> Page:
        """Up to `limit` messages before a position, oldest last. Without a position, the last messages."""
        below = f"({than.moment}" if than else "+inf"
        ties, rest = await self._read(room, than, "ZREVRANGEBYSCORE", below, _oldest_kept(), limit + 1)
        return page_of(ties[::-1], rest, than, limit, newer=False)

    async def newer(self, room: str, than: Position, limit: int) -> Page:
        """Up to `limit` messages after a position; oldest first."""
        # A position may lie before messages that have expired and are not yet dropped.
        above = max(f"({than.moment}", f"{_oldest_kept()}", key=lambda bound: float(bound.lstrip("(")))
        ties, rest = await self._read(room, than, "ZRANGEBYSCORE", above, "+inf", limit + 1)
        return page_of(ties, rest, than, limit, newer=True)

    async def _read(
        self, room: str, position: Position | None, verb: str, start: str, stop: str | int, count: int
    ) -> tuple[list[Entry], list[Entry]]:
        """The messages of exactly the position's moment, oldest first, and those of the range."""
        rest = self._link.execute(verb, key(room), start, stop, "WITHSCORES", "LIMIT", 0, count)
        if position is None or not position.line or float(position.moment) < _oldest_kept():
            return [], _entries(await rest)
        moment = position.moment
        ties = self._link.execute("ZRANGEBYSCORE", key(room), moment, moment, "WITHSCORES")
        both = await asyncio.gather(ties, rest)
        return _entries(both[0]), _entries(both[1])


def _oldest_kept() -> int:
    """The lowest score that has not expired."""
    return (clock.now() - settings.MESSAGE_TTL // clock.MICROSECOND) * 1000


def _entries(flat: Sequence[bytes]) -> list[Entry]:
    return [Entry(line, score.decode()) for line, score in zip(flat[::2], flat[1::2], strict=True)]
