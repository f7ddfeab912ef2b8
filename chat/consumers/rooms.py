"""Rooms on a socket: joining, leaving, and the rooms in which the user may write."""

from django.conf import settings

from aleatoria.valkey.events import Event
from aleatoria.wire import envelope, groups, names
from aleatoria.wire.consumer import EnvelopeConsumer
from aleatoria.wire.dispatch import handles, hears
from aleatoria.wire.envelope import Envelope
from aleatoria.wire.errors import BAD_REQUEST, Refused, Rejected
from aleatoria.wire.host import Host
from chat import payloads, rates
from chat.errors import NOT_IN_ROOM, TOO_MANY_ROOMS
from chat.people import WATCHED, People, Person
from chat.store.membership import TooManyRooms


class RoomsConsumer(EnvelopeConsumer, Person):
    """One socket of a user, in all of their rooms."""

    def __init__(self, *, host: Host, people: People, **others: object) -> None:
        super().__init__(host=host, **others)
        self.people = people
        self.chat = people.chat
        self.rooms = set()

    def guard(self, room: str) -> None:
        """Refused unless the user is in the room."""
        if room not in self.rooms:
            raise Refused(NOT_IN_ROOM, "You're not in this room. Join it first.")

    # Coming and going

    def check_query(self) -> None:
        super().check_query()
        try:
            self._asked_room = names.room_name(self.query["room"]) if "room" in self.query else ""
        except ValueError:
            raise Rejected(BAD_REQUEST) from None

    def own_groups(self) -> list[str]:
        return [*super().own_groups(), groups.chat_sockets(self.user_id), *map(groups.room_sockets, self.rooms)]

    async def enter(self) -> None:
        """Be in the room that was asked for, in those the user is a member of, or in the default room."""
        asked = {self._asked_room} if self._asked_room else set()
        self.people.come(self)
        # Before Valkey is asked, so that the user can write in the room even while Valkey hangs.
        self.rooms |= asked
        await super().enter()
        was_offline = await self.chat.presences.arrive(user=self.user_id)
        rooms = await self.chat.memberships.return_to_rooms(user=self.user_id)
        joined = await self._join_at_connect((asked or (set() if rooms else {settings.DEFAULT_ROOM})) - rooms)
        rooms |= joined
        await self._listen(*(name for room in rooms - self.rooms for name in self.groups_of(room)))
        self.rooms |= rooms
        await self.people.tell_status(self.user_id, "online", self.rooms if was_offline else joined)

    async def _join_at_connect(self, rooms: set[str]) -> set[str]:
        """Join rooms; returns those joined. For the others the client gets an error once the socket is open."""
        joined = set()
        for room in rooms:
            try:
                await self.chat.memberships.join(user=self.user_id, room=room)
            except TooManyRooms:
                await self._hear_no_more(room)
                self.tasks.spawn(self._refuse_at_connect())
            else:
                joined.add(room)
                await self._tell_own_sockets("room.joined", room)
        return joined

    async def _refuse_at_connect(self) -> None:
        await self.output.opened()
        await self.reply(envelope.refusal(_too_many_rooms(), in_reply_to=""))

    async def leave(self, code: int) -> None:
        self.people.go(self)
        await super().leave(code)

    def welcome(self) -> dict[str, object]:
        return super().welcome() | {"rooms": sorted(self.rooms)}

    # Requests

    @handles("join_room", rate=rates.JOIN)
    async def join_room(self, message: Envelope) -> None:
        room = payloads.room_of(message)
        try:
            await self.chat.memberships.join(user=self.user_id, room=room)
        except TooManyRooms:
            raise _too_many_rooms() from None
        is_new = room not in self.rooms
        await self._hear(room)
        await self._tell_own_sockets("room.joined", room)
        await self.reply(payloads.room_joined(room))
        if is_new:
            await self.people.tell_status(self.user_id, "online", [room])

    @handles("leave_room", rate=rates.JOIN)
    async def leave_room(self, message: Envelope) -> None:
        room = payloads.room_of(message)
        await self._hear_no_more(room)
        await self.chat.memberships.leave(user=self.user_id, room=room)
        await self._tell_own_sockets("room.left", room)
        await self.reply(payloads.room_left(room))

    @handles("get_rooms", rate=rates.HISTORY)
    async def get_rooms(self, message: Envelope) -> None:
        await self.reply(payloads.rooms_list(self.rooms))

    # The user's other sockets

    @hears("room.joined")
    async def joined_elsewhere(self, event: Event) -> None:
        """Another socket of this user has joined a room."""
        await self._hear(event["room"])

    @hears("room.left")
    async def left_elsewhere(self, event: Event) -> None:
        """Another socket of this user has left a room."""
        await self._hear_no_more(event["room"])

    async def _tell_own_sockets(self, happened: str, room: str) -> None:
        await self.tell(groups.chat_sockets(self.user_id), happened, room=room, by=self.channel_name)

    # What this socket hears

    def groups_of(self, room: str) -> list[str]:
        """The groups of a room that this socket is in."""
        return [
            groups.room_sockets(room),
            *(groups.room_watchers(kind, room) for kind in WATCHED if kind in self.events),
        ]

    async def _listen(self, *heard: str) -> None:
        await self.layer.join_groups(self.channel_name, *heard)

    async def _hear(self, room: str) -> None:
        await self._listen(*self.groups_of(room))
        self.rooms.add(room)

    async def _hear_no_more(self, room: str) -> None:
        self.rooms.discard(room)
        for name in self.groups_of(room):
            await self.layer.group_discard(name, self.channel_name)


def _too_many_rooms() -> Refused:
    """The refusal of one more room."""
    limit = settings.MAX_ROOMS_PER_USER
    rooms = "1 room" if limit == 1 else f"{limit} rooms"
    return Refused(TOO_MANY_ROOMS, f"You've reached the limit of {rooms}. Leave one first.")
