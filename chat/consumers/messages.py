"""Messages on a socket: in rooms and direct ones, and the histories of both."""

from functools import partial

from aleatoria.telemetry import metrics
from aleatoria.valkey.publication import GroupFrame, Unkept
from aleatoria.wire import envelope, groups
from aleatoria.wire.dispatch import handles
from aleatoria.wire.envelope import Envelope
from chat import payloads, rates
from chat.consumers.rooms import RoomsConsumer
from chat.store.line import with_incoming
from chat.store.repeats import Kept, Mark

_MESSAGES = metrics.LabelledCounter(
    "aleatoria_messages",
    "Messages that users sent, in rooms and directly.",
    "kind",
    ("room", "direct"),
    totals={"room": "messages", "direct": "direct messages"},
)
_NOT_KEPT = metrics.Counter(
    "aleatoria_messages_not_kept", "Messages that were delivered but are in no history, because Valkey was away."
)


class MessagesConsumer(RoomsConsumer):
    """The part of a chat socket that handles messages and histories."""

    @handles("chat_message", rate=rates.MESSAGE)
    async def say(self, message: Envelope) -> None:
        payloads.check_content(message)
        payloads.check_address(message)
        if message.room:
            self.guard(message.room)
        mark = payloads.mark_of(message) if message.message_id else None
        first = self.chat.messages.sent_before(mark) if mark else None
        if first is None:
            message = envelope.identified(message)
            first = await (self._say_in_room(message, mark) if message.room else self._say_directly(message, mark))
            if mark:
                self.chat.messages.note_sent(first or mark)
        if mark and first:
            await self.reply(payloads.senders_copy(message, mark.created_if_same(first)))

    async def _say_in_room(self, message: Envelope, mark: Mark | None) -> Mark | None:
        """The mark under which the same message was sent before, or None."""
        line = envelope.encode(message)
        keep = partial(
            self.chat.messages.keep_in_room, room=message.room, line=line, created=message.create_time, mark=mark
        )
        frame = GroupFrame(groups.room_sockets(message.room), lambda: line)
        return self._counted("room", await self.layer.publish_within(keep, frame))

    async def _say_directly(self, message: Envelope, mark: Mark | None) -> Mark | None:
        """The mark under which the same message was sent before, or None."""
        sender, recipient = self.user_id, message.to_user
        line = envelope.encode(message)
        copies = [GroupFrame(groups.chat_sockets(sender), partial(with_incoming, line, incoming=False))]
        if recipient != sender:
            received = partial(with_incoming, line, incoming=True)
            copies.insert(0, GroupFrame(groups.chat_sockets(recipient), received))
        keep = partial(
            self.chat.messages.keep_direct,
            sender=sender,
            recipient=recipient,
            line=line,
            created=message.create_time,
            mark=mark,
        )
        return self._counted("direct", await self.layer.publish_within(keep, *copies))

    def _counted(self, kind: str, outcome: Kept | Unkept) -> Mark | None:
        """Count the message unless it is a repeat; the mark under which it was sent before, or None."""
        first = outcome.first if isinstance(outcome, Kept) else None
        _MESSAGES.by[kind] += first is None
        _NOT_KEPT.count += isinstance(outcome, Unkept)
        return first

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
