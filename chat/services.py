"""What chat keeps: messages for a day, memberships. Knows nothing of sockets."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from aleatoria.telemetry import metrics
from aleatoria.valkey.failover import Failover
from aleatoria.valkey.link import valkey
from aleatoria.valkey.pipeline import Unavailable
from aleatoria.valkey.publication import Publication
from aleatoria.wire import clock
from chat.store import direct_history, membership, presence, room_history
from chat.store.conversations import Conversation, Conversations
from chat.store.direct_history import DirectHistory
from chat.store.membership import Membership, MemoryMembership, ValkeyMembership
from chat.store.paging import Page, Position
from chat.store.presence import Presence
from chat.store.repeats import Kept, Mark, SentHere
from chat.store.room_history import RoomHistory

READ_WITHIN = 0.4
"""Seconds after which a history is given as empty and degraded."""

HISTORIES = metrics.LabelledCounter(
    "aleatoria_history_reads",
    "Requests for histories: something was found, nothing was kept, or Valkey was away.",
    "outcome",
    ("found", "empty", "degraded"),
)
MEMBERS_LISTED = 1000
SWEEP_EVERY = 1.0
SWEPT_AT_ONCE = 200
"""Keys looked at a time. Few, so that nobody's messages wait for it."""

RENEW_PRESENCE_EVERY = presence.RENEW_EVERY
_swept_to: bytes = b"0"
_room_history = RoomHistory(valkey)
_direct_history = DirectHistory(valkey)
_presence = Presence(valkey)
_conversations = Conversations(valkey)
_sent_here = SentHere()
_kept_membership = ValkeyMembership(valkey)
_remembered_membership = MemoryMembership()
_membership: Failover[Membership] = Failover(_kept_membership, _remembered_membership, valkey.health)


class Stretch(NamedTuple):
    """Which part of a history: so many messages, newer or older than a time or a position, else the last."""

    limit: int
    newer: bool = False
    time: int | None = None
    """In nanoseconds since 1970."""
    position: Position | None = None


class History(NamedTuple):
    """A page, and whether it may lack what should be there because Valkey is away."""

    page: Page
    degraded: bool


async def keep_in_room(
    publications: Sequence[Publication], *, room: str, line: str, created: str, mark: Mark | None
) -> Kept:
    """Keep a room's message and publish it, in one step."""
    (publication,) = publications
    return await _room_history.append(room, line, publication, micros=clock.micros(created), mark=mark)


async def keep_direct(
    copies: Sequence[Publication], *, sender: str, recipient: str, line: str, created: str, mark: Mark | None
) -> Kept:
    """Keep a direct message and publish its copies, in one step. The last copy is the sender's own."""
    return await _direct_history.append(sender, recipient, line, copies, created=created, mark=mark)


def sent_before(mark: Mark) -> Mark | None:
    """The first mark under which this process has seen a message with the same id sent, or None."""
    return _sent_here.first(mark)


def note_sent(mark: Mark) -> None:
    """A message has been sent under this mark."""
    _sent_here.remember(mark)


async def room_page(*, room: str, stretch: Stretch) -> History:
    """What was said in a room: newest first, or oldest first when asked for what is newer."""
    behind = _position(stretch, _room_history.moment_at)
    if stretch.newer and behind is not None:
        return await _read(_room_history.newer(room, behind, stretch.limit))
    return await _read(_room_history.older(room, behind, stretch.limit))


async def direct_page(*, user: str, other: str, stretch: Stretch) -> History:
    """What two users said to each other: always oldest first."""
    behind = _position(stretch, _direct_history.moment_at)
    if stretch.newer and behind is not None:
        return await _read(_direct_history.newer(user, other, behind, stretch.limit))
    page, degraded = await _read(_direct_history.older(user, other, behind, stretch.limit))
    return History(page._replace(lines=page.lines[::-1]), degraded)


def _position(stretch: Stretch, moment_at: Callable[[int], str]) -> Position | None:
    if stretch.time is None:
        return stretch.position
    # createTime moves in whole microseconds, and a score could not tell the nanoseconds between two of them apart.
    micros = stretch.time // 1000 if stretch.newer else -(-stretch.time // 1000)
    return Position(moment_at(micros))


async def _read(reading: Awaitable[Page]) -> History:
    try:
        page = await asyncio.wait_for(reading, READ_WITHIN)
    except (Unavailable, TimeoutError):
        HISTORIES.by["degraded"] += 1
        return History(Page([]), degraded=True)
    HISTORIES.by["found" if page.lines else "empty"] += 1
    return History(page, valkey.health.degraded)


async def rooms(*, user: str) -> set[str]:
    """The rooms a user is in, as far as is known now."""
    kept: set[str] = set()
    with suppress(Unavailable):
        kept = await _kept_membership.rooms(user)
    _kept_membership.renew(user, kept)
    return _remembered_membership.amend(user, kept)


async def join(*, user: str, room: str) -> None:
    """Make a user a member of a room; TooManyRooms when he may not be in another."""
    await _membership.use(lambda store: store.join(user, room))


async def leave(*, user: str, room: str) -> None:
    """End a user's membership of a room."""
    await _membership.use(lambda store: store.leave(user, room))


async def renew(present: Iterable[tuple[str, Iterable[str]]]) -> None:
    """These users, in these rooms, are alive."""
    for user, user_rooms in present:
        _kept_membership.renew(user, user_rooms)


async def sweep() -> None:
    """Go through a stretch of all that is kept, behind the one before, and drop what has expired.

    Messages of a room where nobody speaks, and members who have been away for too long, have nobody else to do it.
    """
    global _swept_to
    with suppress(Unavailable):
        _swept_to, found = await valkey.execute("SCAN", _swept_to, "COUNT", SWEPT_AT_ONCE)
        for key in (name.decode(errors="replace") for name in found):
            if key.startswith(room_history.PREFIX):
                _room_history.sweep(key.removeprefix(room_history.PREFIX))
            elif key.startswith(direct_history.PREFIX):
                _direct_history.sweep(key)
            elif key.startswith(membership.MEMBERS):
                _kept_membership.sweep(key.removeprefix(membership.MEMBERS))


async def arrive(*, user: str) -> bool:
    """The user has a socket here; whether he was offline until now."""
    try:
        return await _presence.arrive(user)
    except Unavailable:
        return False


async def renew_presence(users: Collection[str]) -> list[str]:
    """These users are online; those who had been taken for offline all the same. None just after an outage."""
    try:
        found = await _presence.renew(list(users)) if users else []
    except Unavailable:
        return []
    return [] if _has_just_come_back() else found


def close_presence(*, user: str) -> None:
    """This process has no more socket of the user: he is offline soon, unless another has one."""
    _presence.close(user)


async def sweep_presence() -> list[str]:
    """Whose time is up is offline: those, each told to one process only. Nobody just after an outage."""
    if _has_just_come_back():
        return []
    try:
        return await _presence.sweep()
    except Unavailable:
        return []


def _has_just_come_back() -> bool:
    """Whether other processes may not have said yet who is online."""
    return time.time() - valkey.health.back_at < presence.LEASE


async def rooms_of(*, user: str) -> set[str]:
    """The rooms a user is in, who need not be connected here."""
    try:
        return await _kept_membership.rooms(user)
    except Unavailable:
        return set()


async def members(*, room: str) -> list[tuple[str, bool]] | None:
    """The members of a room, each with whether he is online, MEMBERS_LISTED at most; None while Valkey is away."""
    try:
        return await asyncio.wait_for(_presence.members(membership.members_key(room), MEMBERS_LISTED), READ_WITHIN)
    except (Unavailable, TimeoutError):
        return None


async def conversations(*, user: str) -> list[Conversation] | None:
    """With whom a user has conversations, the newest first; None while Valkey is away."""
    try:
        return await asyncio.wait_for(_conversations.of(user), READ_WITHIN)
    except (Unavailable, TimeoutError):
        return None


def mark_read(*, user: str, other: str) -> None:
    """The user has read what the other one wrote until now."""
    _conversations.mark_read(user, other, clock.text(clock.now()))


def remember(present: Iterable[tuple[str, Iterable[str]]]) -> None:
    """An outage begins while these users are in these rooms."""
    for user, user_rooms in present:
        _remembered_membership.remember(user, user_rooms)


async def write_back() -> None:
    """An outage is over: tell Valkey who joined and left meanwhile."""
    for user, joined, left in _remembered_membership.take_all():
        _kept_membership.write_back(user, joined, left)


valkey.health.on_back.append(write_back)
