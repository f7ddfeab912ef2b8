"""Messages of rooms and between users: kept for a day, read back in pages."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from aleatoria.telemetry import metrics
from aleatoria.valkey.link import Link
from aleatoria.valkey.pipeline import Unavailable
from aleatoria.valkey.publication import Publication
from aleatoria.wire import clock
from chat.store.direct_history import DirectHistory
from chat.store.paging import Page, Position
from chat.store.repeats import Kept, Mark, SentHere
from chat.store.room_history import RoomHistory

READ_WITHIN = 0.4
"""Seconds after which a history is answered as empty and degraded."""

HISTORIES = metrics.LabelledCounter(
    "aleatoria_history_reads",
    "Requests for histories: messages were found, none were kept, or Valkey was away.",
    "outcome",
    ("found", "empty", "degraded"),
    totals={outcome: f"histories {outcome}" for outcome in ("found", "empty", "degraded")},
)


class Stretch(NamedTuple):
    """Part of a history: up to `limit` messages, newer or older than a time or a position; without either, the last."""

    limit: int
    newer: bool = False
    time: int | None = None
    """In nanoseconds since 1970."""
    position: Position | None = None


class History(NamedTuple):
    """A page, and whether messages may be missing from it because Valkey is away."""

    page: Page
    degraded: bool


class Messages:
    """Messages of rooms and between users. While Valkey is away nothing is kept, and histories are empty."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._rooms = RoomHistory(link)
        self._direct = DirectHistory(link)
        self._sent_here = SentHere()

    async def keep_in_room(
        self, publications: Sequence[Publication], *, room: str, line: str, created: str, mark: Mark | None
    ) -> Kept:
        """Keep a room's message and publish it, in one step."""
        (publication,) = publications
        return await self._rooms.append(room, line, publication, micros=clock.micros(created), mark=mark)

    async def keep_direct(
        self, copies: Sequence[Publication], *, sender: str, recipient: str, line: str, created: str, mark: Mark | None
    ) -> Kept:
        """Keep a direct message and publish its copies, in one step. The last copy is the sender's own."""
        return await self._direct.append(sender, recipient, line, copies, created=created, mark=mark)

    def sent_before(self, mark: Mark) -> Mark | None:
        """The first mark under which this process has seen a message with the same id sent, or None."""
        return self._sent_here.first(mark)

    def note_sent(self, mark: Mark) -> None:
        """Remember that a message has been sent under this mark."""
        self._sent_here.remember(mark)

    async def room_page(self, *, room: str, stretch: Stretch) -> History:
        """A page of a room's messages: newest first, or oldest first when newer messages are asked for."""
        behind = _position(stretch, self._rooms.moment_at)
        if stretch.newer and behind is not None:
            return await self._read(self._rooms.newer(room, behind, stretch.limit))
        return await self._read(self._rooms.older(room, behind, stretch.limit))

    async def direct_page(self, *, user: str, other: str, stretch: Stretch) -> History:
        """A page of the messages between two users, oldest first."""
        behind = _position(stretch, self._direct.moment_at)
        if stretch.newer and behind is not None:
            return await self._read(self._direct.newer(user, other, behind, stretch.limit))
        page, degraded = await self._read(self._direct.older(user, other, behind, stretch.limit))
        return History(page._replace(lines=page.lines[::-1]), degraded)

    async def _read(self, reading: Awaitable[Page]) -> History:
        try:
            page = await asyncio.wait_for(reading, READ_WITHIN)
        except (Unavailable, TimeoutError):
            HISTORIES.by["degraded"] += 1
            return History(Page([]), degraded=True)
        HISTORIES.by["found" if page.lines else "empty"] += 1
        return History(page, self._link.health.degraded)


def _position(stretch: Stretch, moment_at: Callable[[int], str]) -> Position | None:
    if stretch.time is None:
        return stretch.position
    # createTime has whole microseconds, and a score, which is a double, cannot tell nanoseconds apart.
    micros = stretch.time // 1000 if stretch.newer else -(-stretch.time // 1000)
    return Position(moment_at(micros))
