"""Who is there: members, who comes and goes, who is typing, and a user's conversations (protocol §6).

Nobody hears of it unless he has asked in his `hello`: those who have are in groups of their own.
"""

from collections.abc import Iterable

from channels.layers import get_channel_layer

from aleatoria.valkey.channel import Event
from aleatoria.valkey.link import valkey
from aleatoria.wire import envelope, groups, names
from aleatoria.wire.consumer import EnvelopeConsumer
from aleatoria.wire.dispatch import handles, hears
from aleatoria.wire.envelope import Envelope, Refused
from chat import payloads, services

PRESENCE, TYPING = "presence", "typing"
WATCHED = (PRESENCE, TYPING)
"""What of a room's people a `hello` can ask for."""


class PeopleConsumer(EnvelopeConsumer):
    """One socket of a user, as far as it is about who is there."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms: set[str] = set()

    def guard(self, room: str) -> None:
        """Refused unless the user is in the room."""
        if room not in self.rooms:
            raise Refused("not_in_room", "You are not in that room. Join the room first.")

    def groups_of(self, room: str) -> list[str]:
        """What this socket hears of a room it is in."""
        return [groups.room(room), *(groups.watchers(kind, room) for kind in WATCHED if kind in self.events)]

    async def attend(self, before: frozenset[str]) -> None:
        await super().attend(before)
        for kind in WATCHED:
            for room in self.rooms:
                if kind in self.events - before:
                    await self.channel_layer.group_add(groups.watchers(kind, room), self.channel_name)
                elif kind in before - self.events:
                    await self.channel_layer.group_discard(groups.watchers(kind, room), self.channel_name)

    # Coming and going

    @hears("people.status")
    async def see_status(self, event: Event) -> None:
        """Somebody is online or offline; of several rooms that he shares with this user, one tells."""
        shared = self.rooms.intersection(event["rooms"])
        if event["user"] != self.user_id and event["room"] == min(shared, default=""):
            await self.send_text(event["text"])

    @handles("get_members", rate="history")
    async def get_members(self, message: Envelope) -> None:
        room = room_of(message)
        self.guard(room)
        members = await services.members(room=room)
        degraded = members is None
        if members is None:
            members = sorted({(socket.user_id, True) for socket in connected() if room in socket.rooms})
        await self.reply(payloads.members_list(room, members, degraded=degraded))

    # Typing

    @handles("typing", rate="typing")
    async def type(self, message: Envelope) -> None:
        check_address(message)
        event = {"type": "people.typing", "user": self.user_id, "text": envelope.encode(envelope.identified(message))}
        if message.room:
            self.guard(message.room)
            await self.channel_layer.group_send(groups.watchers(TYPING, message.room), event)
        else:
            await self.channel_layer.group_send(groups.user(message.to_user), event)

    @hears("people.typing")
    async def see_typing(self, event: Event) -> None:
        """Somebody else is typing, in a room or to this user."""
        if TYPING in self.events and event["user"] != self.user_id:
            await self.send_text(event["text"])

    # Conversations

    @handles("get_conversations", rate="history")
    async def get_conversations(self, message: Envelope) -> None:
        await self.reply(payloads.conversations_list(await services.conversations(user=self.user_id)))

    @handles("mark_read")
    async def mark_read(self, message: Envelope) -> None:
        other = message.payload_as(payloads.Reading).with_user
        if not names.is_user_id(other):
            raise Refused("invalid_field", "`withUser` is not a user id.")
        services.mark_read(user=self.user_id, other=other)


def connected() -> list[PeopleConsumer]:
    """The open sockets of this process that speak chat."""
    return [socket for socket in EnvelopeConsumer.connected if isinstance(socket, PeopleConsumer)]


def room_of(message: Envelope) -> str:
    """The room a message names; Refused when it names none."""
    if not message.room:
        raise Refused("invalid_field", "Name the `room`.")
    return message.room


def check_address(message: Envelope) -> None:
    """Refused unless a message is either for a room or for a user."""
    if bool(message.room) == bool(message.to_user):
        raise Refused("invalid_field", "A message is for a `room` or for a `toUser`: name one of the two.")


async def tell_status(user: str, status: str, rooms: Iterable[str]) -> None:
    """Tell those who share these rooms with a user, and have asked, that he is `online` or `offline` now."""
    shared = sorted(rooms)
    frame = envelope.encode(payloads.user_status(user, status))
    for room in shared:
        event = {"type": "people.status", "user": user, "rooms": shared, "room": room, "text": frame}
        await get_channel_layer().group_send(groups.watchers(PRESENCE, room), event)


async def _renew() -> None:
    """Those who are connected here are online; some may have been taken for gone while this process stood still."""
    users = {socket.user_id for socket in connected()}
    for user in await services.renew_presence(users):
        await tell_status(user, "online", await services.rooms_of(user=user))


async def _sweep() -> None:
    for user in await services.sweep_presence():
        await tell_status(user, "offline", await services.rooms_of(user=user))


valkey.every(services.RENEW_PRESENCE_EVERY, _renew)
valkey.every(services.SWEEP_EVERY, _sweep)
