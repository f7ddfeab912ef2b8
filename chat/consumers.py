"""Chat on a socket: rooms and direct messages (protocol §3)."""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from django.conf import settings

from aleatoria.operators import totals
from aleatoria.telemetry import metrics
from aleatoria.valkey.channel import Event
from aleatoria.valkey.link import valkey
from aleatoria.wire import envelope, groups, names
from aleatoria.wire.consumer import BAD_REQUEST, Rejected
from aleatoria.wire.dispatch import handles, hears
from aleatoria.wire.envelope import Envelope, Refused
from chat import payloads, services
from chat.people import PeopleConsumer, check_address, connected, room_of, tell_status
from chat.store.membership import TooManyRooms
from chat.store.repeats import Mark

RENEW_EVERY = 3600.0
"""Seconds between two signs of life of connected members; membership lasts a day from each."""


_MESSAGES = metrics.LabelledCounter(
    "aleatoria_messages", "Messages that people said, in rooms and directly.", "kind", ("room", "direct")
)


_NOT_KEPT = metrics.Counter(
    "aleatoria_messages_not_kept", "Messages that reached people but are in no history, as Valkey was away."
)


class ChatConsumer(PeopleConsumer):
    """One socket of a user, in all of his rooms."""

    tabs: ClassVar[dict[str, set["ChatConsumer"]]] = {}
    """By user, his sockets in this process."""

    # Coming and going

    def check_query(self) -> None:
        super().check_query()
        try:
            self._asked_room = names.room_name(self.query["room"]) if "room" in self.query else ""
        except ValueError:
            raise Rejected(BAD_REQUEST) from None

    def own_groups(self) -> list[str]:
        return [*super().own_groups(), groups.user(self.user_id), *map(groups.room, self.rooms)]

    async def enter(self) -> None:
        """Be in the room that was asked for, in those he is a member of, or in the default room."""
        asked = {self._asked_room} if self._asked_room else set()
        self.tabs.setdefault(self.user_id, set()).add(self)
        # At once, so that it can be spoken in even while Valkey hangs.
        self.rooms |= asked
        await super().enter()
        was_offline = await services.arrive(user=self.user_id)
        rooms, joined = await services.rooms(user=self.user_id), set()
        for room in (asked or (set() if rooms else {settings.DEFAULT_ROOM})) - rooms:
            try:
                await services.join(user=self.user_id, room=room)
            except TooManyRooms:
                await self._hear_no_more(room)
                self.spawn(self._refuse_at_connect())
            else:
                rooms.add(room)
                joined.add(room)
                await self._tell_own_sockets("room.joined", room)
        await self._listen(*(name for room in rooms - self.rooms for name in self.groups_of(room)))
        self.rooms |= rooms
        await tell_status(self.user_id, "online", self.rooms if was_offline else joined)

    async def leave(self, code: int) -> None:
        tabs = self.tabs.get(self.user_id, set())
        tabs.discard(self)
        if not tabs:
            self.tabs.pop(self.user_id, None)
            services.close_presence(user=self.user_id)
        await super().leave(code)

    async def _refuse_at_connect(self) -> None:
        await self.opened()
        await self.reply(envelope.refusal(TOO_MANY_ROOMS, in_reply_to=""))

    def welcome(self) -> dict[str, object]:
        return super().welcome() | {"rooms": sorted(self.rooms)}

    # Rooms

    @handles("join_room", rate="join")
    async def join_room(self, message: Envelope) -> None:
        room = room_of(message)
        try:
            await services.join(user=self.user_id, room=room)
        except TooManyRooms:
            raise TOO_MANY_ROOMS from None
        is_new = room not in self.rooms
        await self._hear(room)
        await self._tell_own_sockets("room.joined", room)
        await self.reply(payloads.room_joined(room))
        if is_new:
            await tell_status(self.user_id, "online", [room])

    @handles("leave_room", rate="join")
    async def leave_room(self, message: Envelope) -> None:
        room = room_of(message)
        await self._hear_no_more(room)
        await services.leave(user=self.user_id, room=room)
        await self._tell_own_sockets("room.left", room)
        await self.reply(payloads.room_left(room))

    @handles("get_rooms", rate="history")
    async def get_rooms(self, message: Envelope) -> None:
        await self.reply(payloads.rooms_list(self.rooms))

    @hears("room.joined")
    async def joined_elsewhere(self, event: Event) -> None:
        """Another socket of his has joined a room."""
        await self._hear(event["room"])

    @hears("room.left")
    async def left_elsewhere(self, event: Event) -> None:
        """Another socket of his has left a room."""
        await self._hear_no_more(event["room"])

    async def _tell_own_sockets(self, happened: str, room: str) -> None:
        event = {"type": happened, "room": room, "by": self.channel_name}
        await self.channel_layer.group_send(groups.user(self.user_id), event)

    async def _listen(self, *names: str) -> None:
        await self.channel_layer.join_groups(self.channel_name, *names)

    async def _hear(self, room: str) -> None:
        await self._listen(*self.groups_of(room))
        self.rooms.add(room)

    async def _hear_no_more(self, room: str) -> None:
        self.rooms.discard(room)
        for name in self.groups_of(room):
            await self.channel_layer.group_discard(name, self.channel_name)

    # Messages

    @handles("chat_message", rate="message")
    async def say(self, message: Envelope) -> None:
        payloads.check_content(message)
        check_address(message)
        if message.room:
            self.guard(message.room)
        mark = payloads.mark_of(message) if message.message_id else None
        earlier = services.sent_before(mark) if mark else ""
        if not earlier:
            message = envelope.identified(message)
            earlier = await (self._say_in_room(message, mark) if message.room else self._say_directly(message, mark))
            if mark:
                services.note_sent(mark, earlier or mark.value)
        if mark and earlier:
            await self.reply(payloads.senders_copy(message, mark.created_if_same(earlier)))

    async def _say_in_room(self, message: Envelope, mark: Mark | None) -> str:
        """The mark of the same message sent before, or ""."""
        frame = envelope.encode(message)
        keep = partial(services.keep_in_room, room=message.room, line=frame, created=message.create_time, mark=mark)
        earlier = await self.channel_layer.publish_within(keep, (groups.room(message.room), lambda: frame))
        return self._counted("room", earlier)

    async def _say_directly(self, message: Envelope, mark: Mark | None) -> str:
        """The mark of the same message sent before, or ""."""
        recipient = message.to_user
        line = envelope.encode(message)
        copies = [(groups.user(self.user_id), partial(envelope.with_incoming, line, incoming=False))]
        if recipient != self.user_id:
            copies.insert(0, (groups.user(recipient), partial(envelope.with_incoming, line, incoming=True)))
        keep = partial(
            services.keep_direct,
            sender=self.user_id,
            recipient=recipient,
            line=line,
            created=message.create_time,
            mark=mark,
        )
        return self._counted("direct", await self.channel_layer.publish_within(keep, *copies))

    def _counted(self, kind: str, earlier: str | None) -> str:
        if not earlier:
            _MESSAGES.by[kind] += 1
        _NOT_KEPT.count += earlier is None
        return earlier or ""

    # Histories

    @handles("get_recent_messages", rate="history")
    async def get_recent_messages(self, message: Envelope) -> None:
        room = room_of(message)
        stretch = message.payload_as(payloads.HistoryQuery).stretch()
        self.guard(room)
        history = await services.room_page(room=room, stretch=stretch)
        await self.reply(payloads.recent_messages(room, history, newer=stretch.newer))

    @handles("get_direct_messages", rate="history")
    async def get_direct_messages(self, message: Envelope) -> None:
        query = message.payload_as(payloads.DirectHistoryQuery)
        if not names.is_user_id(query.with_user):
            raise Refused("invalid_field", "`withUser` is not a user id.")
        stretch = query.stretch()
        history = await services.direct_page(user=self.user_id, other=query.with_user, stretch=stretch)
        await self.reply(payloads.direct_messages(query.with_user, history, newer=stretch.newer))


def _present() -> Iterable[tuple[str, set[str]]]:
    """The users of this process with their rooms, once a socket."""
    return [(socket.user_id, socket.rooms) for socket in connected()]


def _rooms_held() -> int:
    return len(set().union(*(rooms for _, rooms in _present())))


def _count_histories(outcome: str) -> None:
    totals.count(f"histories {outcome}", lambda: services.HISTORIES.by[outcome])


TOO_MANY_ROOMS = Refused("too_many_rooms", "You are in as many rooms as you may be. Leave one first.")
valkey.health.on_lost.append(lambda: services.remember(_present()))
valkey.every(RENEW_EVERY, lambda: services.renew(_present()))
valkey.every(services.SWEEP_EVERY, services.sweep)
totals.count("messages", lambda: _MESSAGES.by["room"])
totals.count("direct messages", lambda: _MESSAGES.by["direct"])
for _outcome in services.HISTORIES.by:
    _count_histories(_outcome)
totals.report("rooms", _rooms_held)
metrics.Gauge("aleatoria_rooms", "Rooms that somebody who is connected here is in.", _rooms_held)
