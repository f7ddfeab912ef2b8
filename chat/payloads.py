"""The payloads of chat's messages: what clients send, checked, and what the server sends."""

import base64
import re
from typing import Any, ClassVar

import msgspec

from aleatoria.wire import clock, envelope, names
from aleatoria.wire.envelope import Envelope
from aleatoria.wire.errors import INVALID_FIELD, Refused
from chat.services.messages import History, Stretch
from chat.store.conversations import Conversation
from chat.store.paging import Position
from chat.store.repeats import Mark

CONTENT_MAX = 4000
HISTORY_DEFAULT, HISTORY_MAX = 50, 200
_CURSOR = re.compile(r"([on])\|([^|]+)\|([0-9a-f]{16})", re.ASCII)
_SCORE = re.compile(r"\d{1,19}(?:\.\d{1,17}e\+\d\d)?", re.ASCII)
_CREATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


class Content(msgspec.Struct):
    """The payload of a chat message. Other fields are passed on unread."""

    content: str


class HistoryQuery(msgspec.Struct, rename="camel"):
    """The payload of `get_recent_messages`: which part of a history."""

    moment: ClassVar[re.Pattern[str]] = _SCORE
    """How a cursor of this history writes a moment."""

    limit: int | float | None = None
    before: str | None = None
    after: str | None = None
    cursor: str | None = None

    def stretch(self) -> Stretch:
        """The part asked for, checked; Refused when the fields contradict. A cursor overrides `before` and `after`."""
        limit = self.limit if self.limit is not None else HISTORY_DEFAULT
        count = int(min(max(limit, 1), HISTORY_MAX))
        if self.cursor:
            return _stretch_behind(self.cursor, self.moment, count)
        if self.before and self.after:
            raise Refused(INVALID_FIELD, "Use either `before` or `after`, not both.")
        if self.after:
            return Stretch(count, newer=True, time=_time("after", self.after))
        return Stretch(count, time=_time("before", self.before) if self.before else None)


class DirectHistoryQuery(HistoryQuery, rename="camel"):
    """The payload of `get_direct_messages`: which part of the conversation with whom."""

    moment: ClassVar[re.Pattern[str]] = _CREATE_TIME

    with_user: str = ""


def check_content(message: Envelope) -> None:
    """Refused when a chat message says nothing or too much."""
    if not 1 <= len(message.payload_as(Content).content) <= CONTENT_MAX:
        raise Refused(INVALID_FIELD, f"Messages can have 1 to {CONTENT_MAX} characters.")


class Reading(msgspec.Struct, rename="camel"):
    """The payload of `mark_read`: whose messages the user has read."""

    with_user: str = ""


def room_of(message: Envelope) -> str:
    """The room a message names; Refused when it names none."""
    if not message.room:
        raise Refused(INVALID_FIELD, "`room` is missing.")
    return message.room


def check_address(message: Envelope) -> None:
    """Refused unless a message is either for a room or for a user."""
    if bool(message.room) == bool(message.to_user):
        raise Refused(INVALID_FIELD, "Set either `room` or `toUser`, not both.")


def check_other(user: str) -> None:
    """Refused unless `user`, with whom a conversation is, is a user id."""
    if not names.is_user_id(user):
        raise Refused(INVALID_FIELD, "`withUser` isn't a valid user ID.")


def mark_of(message: Envelope) -> Mark:
    """The mark by which a message is recognized if its client sends it again."""
    said = (message.room.encode(), message.to_user.encode(), bytes(message.payload))
    return Mark.of(message.from_user, message.message_id, message.create_time, *said)


def senders_copy(message: Envelope, created: str) -> Envelope:
    """The answer to a repeat: the message as first sent, at `created`; Refused when that was another message."""
    if not created:
        raise Refused(INVALID_FIELD, "This `messageId` was already used for another message. Use a new one.")
    incoming = False if message.to_user else None
    return msgspec.structs.replace(message, create_time=created, incoming=incoming)


def members_list(room: str, members: list[tuple[str, bool]], *, degraded: bool) -> Envelope:
    """The members of a room, and which of them are online."""
    listed = [{"userId": user, "online": online} for user, online in members]
    payload = {"room": room, "members": listed} | ({"degraded": True} if degraded else {})
    return envelope.from_system("members_list", payload, room=room)


def conversations_list(conversations: list[Conversation] | None) -> Envelope:
    """A user's conversations; None while they are not known."""
    listed = [
        {"withUser": one.other, "lastMessage": msgspec.Raw(one.last), "unread": one.unread}
        for one in conversations or ()
    ]
    degraded = {"degraded": True} if conversations is None else {}
    return envelope.from_system("conversations_list", {"conversations": listed} | degraded)


def user_status(user: str, status: str) -> Envelope:
    """The news that a user who shares a room is `online` or `offline` from now on."""
    payload = {"userId": user, "status": status, "timestamp": clock.text(clock.now())}
    return envelope.from_system("user_status", payload)


def room_joined(room: str) -> Envelope:
    """The answer to `join_room`: this user hears the room from now on."""
    return envelope.from_system("room_joined", {"room": room, "action": "joined"}, room=room)


def room_left(room: str) -> Envelope:
    """The answer to `leave_room`."""
    return envelope.from_system("room_left", {"room": room, "action": "left"}, room=room)


def rooms_list(rooms: set[str]) -> Envelope:
    """The rooms a user is in."""
    return envelope.from_system("rooms_list", {"rooms": sorted(rooms)})


def recent_messages(room: str, history: History, *, newer: bool) -> Envelope:
    """A page of a room."""
    return envelope.from_system("recent_messages", _page("room", room, history, newer=newer), room=room)


def direct_messages(other: str, history: History, *, newer: bool) -> Envelope:
    """A page of a conversation."""
    return envelope.from_system("direct_messages", _page("withUser", other, history, newer=newer))


def _page(whose: str, name: str, history: History, *, newer: bool) -> msgspec.Raw:
    """The payload of a history: stored lines are spliced in, not parsed."""
    page, degraded = history
    rest: dict[str, Any] = {"hasMore": page.more}
    if page.end is not None and page.end.line:
        rest["cursor"] = _cursor(page.end, newer=newer)
    if degraded:
        rest["degraded"] = True
    head = msgspec.json.encode({whose: name})[:-1]
    tail = msgspec.json.encode(rest)[1:]
    return msgspec.Raw(b'%b,"messages":[%b],%b' % (head, b",".join(page.lines), tail))


def _cursor(end: Position, *, newer: bool) -> str:
    text = f"{'n' if newer else 'o'}|{end.moment}|{end.line}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _stretch_behind(cursor: str, moment: re.Pattern[str], limit: int) -> Stretch:
    try:
        match = _CURSOR.fullmatch(base64.urlsafe_b64decode(cursor).decode())
    except ValueError:
        match = None
    if match is None or not moment.fullmatch(match[2]):
        raise Refused(INVALID_FIELD, "`cursor` isn't valid. Use one from an earlier reply.")
    return Stretch(limit, newer=match[1] == "n", position=Position(match[2], match[3]))


def _time(field: str, text: str) -> int:
    try:
        return clock.nanoseconds(text)
    except ValueError as error:
        raise Refused(INVALID_FIELD, f"`{field}` isn't a valid time: {error}.") from None
