"""Messages on a socket: what is said in rooms and directly, and the histories of both."""

from functools import partial

from aleatoria.telemetry import metrics
from aleatoria.wire import envelope, groups
from aleatoria.wire.dispatch import handles
from aleatoria.wire.envelope import Envelope
from chat import payloads, rates
from chat.consumers.rooms import RoomsConsumer
from chat.store.repeats import Mark

_MESSAGES = metrics.LabelledCounter(
    "aleatoria_messages",
    "Messages that people said, in rooms and directly.",
    "kind",
    ("room", "direct"),
    totals={"room": "messages", "direct": "direct messages"},
)
_NOT_KEPT = metrics.Counter(
    "aleatoria_messages_not_kept", "Messages that reached people but are in no history, as Valkey was away."
)


class MessagesConsumer(RoomsConsumer):
    """One socket of a user, as far as it is about what is said."""

    @handles("chat_message", rate=rates.MESSAGE)
    async def say(self, message: Envelope) -> None:
        payloads.check_content(message)
        payloads.check_address(message)
        if message.room:
            self.guard(message.room)
        mark = payloads.mark_of(message) if message.message_id else None
        earlier = self.chat.messages.sent_before(mark) if mark else ""
        if not earlier:
            message = envelope.identified(message)
            earlier = await (self._say_in_room(message, mark) if message.room else self._say_directly(message, mark))
            if mark:
                self.chat.messages.note_sent(mark, earlier or mark.value)
        if mark and earlier:
            await self.reply(payloads.senders_copy(message, mark.created_if_same(earlier)))

    async def _say_in_room(self, message: Envelope, mark: Mark | None) -> str:
        """The mark of the same message sent before, or ""."""
        frame = envelope.encode(message)
        keep = partial(
            self.chat.messages.keep_in_room, room=message.room, line=frame, created=message.create_time, mark=mark
        )
        earlier = await self.layer.publish_within(keep, (groups.room_sockets(message.room), lambda: frame))
        return self._counted("room", earlier)

    async def _say_directly(self, message: Envelope, mark: Mark | None) -> str:
        """The mark of the same message sent before, or ""."""
        recipient = message.to_user
        line = envelope.encode(message)
        copies = [(groups.chat_sockets(self.user_id), partial(envelope.with_incoming, line, incoming=False))]
        if recipient != self.user_id:
            copies.insert(0, (groups.chat_sockets(recipient), partial(envelope.with_incoming, line, incoming=True)))
        keep = partial(
            self.chat.messages.keep_direct,
            sender=self.user_id,
            recipient=recipient,
            line=line,
            created=message.create_time,
            mark=mark,
        )
        return self._counted("direct", await self.layer.publish_within(keep, *copies))

    def _counted(self, kind: str, earlier: str | None) -> str:
        if not earlier:
            _MESSAGES.by[kind] += 1
        _NOT_KEPT.count += earlier is None
        return earlier or ""

    @handles("get_recent_messages", rate=rates.HISTORY)
    async def get_recent_messages(self, message: Envelope) -> None:
        room = payloads.room_of(message)
        stretch = message.payload_as(payloads.HistoryQuery).stretch()
        self.guard(room)
        history = await self.chat.messages.room_page(room=room, stretch=stretch)
        await self.reply(payloads.recent_messages(room, history, newer=stretch.newer))

    @handles("get_direct_messages", rate=rates.HISTORY)
    async def get_direct_messages(self, message: Envelope) -> None:
        query = message.payload_as(payloads.DirectHistoryQuery)
        payloads.check_other(query.with_user)
        stretch = query.stretch()
        history = await self.chat.messages.direct_page(user=self.user_id, other=query.with_user, stretch=stretch)
        await self.reply(payloads.direct_messages(query.with_user, history, newer=stretch.newer))

    @handles("get_conversations", rate=rates.HISTORY)
    async def get_conversations(self, message: Envelope) -> None:
        await self.reply(payloads.conversations_list(await self.chat.conversations.of(user=self.user_id)))

    @handles("mark_read")
    async def mark_read(self, message: Envelope) -> None:
        other = message.payload_as(payloads.Reading).with_user
        payloads.check_other(other)
        self.chat.conversations.mark_read(user=self.user_id, other=other)
