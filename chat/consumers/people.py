"""People on a socket: members of rooms, who is online, who is typing.

A client gets these events if it has asked for them in its `hello`. Its sockets are then in groups of their own.
"""

from aleatoria.valkey.events import Event
from aleatoria.wire import envelope, groups
from aleatoria.wire.dispatch import handles, hears
from aleatoria.wire.envelope import Envelope
from chat import payloads, rates
from chat.consumers.rooms import RoomsConsumer
from chat.people import TYPING, WATCHED


class PeopleConsumer(RoomsConsumer):
    """The part of a chat socket that handles members, presence and typing."""

    async def attend(self, before: frozenset[str]) -> None:
        await super().attend(before)
        for kind in WATCHED:
            for room in self.rooms:
                if kind in self.events - before:
                    await self.layer.group_add(groups.room_watchers(kind, room), self.channel_name)
                elif kind in before - self.events:
                    await self.layer.group_discard(groups.room_watchers(kind, room), self.channel_name)

    @hears("people.status")
    async def see_status(self, event: Event) -> None:
        """A user has come online or gone offline. Of several rooms shared with them, only the first is reported."""
        shared = self.rooms.intersection(event["rooms"])
        if event["user"] != self.user_id and event["room"] == min(shared, default=""):
            await self.output.send_text(event["text"])

    @handles("get_members", rate=rates.HISTORY)
    async def get_members(self, message: Envelope) -> None:
        room = payloads.room_of(message)
        self.guard(room)
        members = await self.chat.presences.members(room=room)
        degraded = members is None
        if members is None:
            members = self.people.members_here(room)
        await self.reply(payloads.members_list(room, members, degraded=degraded))

    @handles("typing", rate=rates.TYPING)
    async def type(self, message: Envelope) -> None:
        payloads.check_address(message)
        event = {"user": self.user_id, "text": envelope.encode(envelope.identified(message))}
        if message.room:
            self.guard(message.room)
            await self.tell(groups.room_watchers(TYPING, message.room), "people.typing", **event)
        else:
            await self.tell(groups.chat_sockets(message.to_user), "people.typing", **event)

    @hears("people.typing")
    async def see_typing(self, event: Event) -> None:
        """Another user is typing, in a room or to this user."""
        if TYPING in self.events and event["user"] != self.user_id:
            await self.output.send_text(event["text"])
