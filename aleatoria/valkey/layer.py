"""The channel layer: Channels' own API over Valkey pub/sub, which never raises and never holds up a handler.

What it does that the stock layers do not, and why, is in docs/decisions/0002-channel-layer.md.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from random import getrandbits
from typing import TypeVar

import redis
from redis.exceptions import ResponseError

from aleatoria.valkey.channel import Sink
from aleatoria.valkey.events import FRAME_MARK, PREFIX, Event, channel_prefix, frame, packed, unpacked
from aleatoria.valkey.link import Link
from aleatoria.valkey.pipeline import Unavailable, reason_of
from aleatoria.valkey.publication import GroupFrame, Publication, Unkept
from aleatoria.valkey.publishes import HEADER, Publishes, foreign_header, observe_direct_delivery
from aleatoria.valkey.receivers import Receivers

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


class ChannelLayer:
    """One process's groups and channels, joined to those of the other processes by Valkey.

    While Valkey is well everything goes through it, so that all processes see one order. While it is away, or when
    a publish fails, the members in this process are served directly, each event once.
    """

    extensions = ["groups", "flush"]

    def __init__(self, link: Link, prefix: str = PREFIX) -> None:
        self._link = link
        self._prefix = channel_prefix(prefix)
        self._receivers = Receivers()
        self._publishes = Publishes()
        link.subscriber.on_message = self._hear
        link.health.on_down.append(self._publishes.forget)

    async def new_channel(self, prefix: str = "specific") -> str:
        """A name for a new receiver in this process. Needs no Valkey."""
        name = f"{prefix}.{getrandbits(128):032x}"
        self._receivers.open(name)
        return name

    def attach(self, channel: str, sink: Sink, on_overflow: Callable[[], None]) -> None:
        """Hand what comes for `channel` straight to `sink` instead of to `receive`."""
        self._receivers.channels[channel].attach(sink, on_overflow)

    def attach_writer(self, channel: str, write: Callable[[str], bool]) -> None:
        """From now on finished frames for `channel` go to `write`; what it does not take goes to the sink."""
        self._receivers.channels[channel].write = write

    async def close_channel(self, channel: str) -> None:
        """Take `channel` out of all its groups and forget it."""
        for name in self._receivers.close(channel):
            self._link.subscriber.unwant(name)

    async def receive(self, channel: str) -> Event:
        """The next event for `channel`: what an ordinary Channels consumer awaits."""
        receiver = self._receivers.open(channel)
        self._receivers.join(channel, [self._wire(channel)])
        await self._link.subscriber.want(self._wire(channel))
        return await receiver.queue.get()

    async def send(self, channel: str, message: Event) -> None:
        """Send to one receiver, in whichever process it is."""
        if channel in self._receivers.channels:
            self._receivers.channels[channel].hand(message)
        else:
            await self._publish(self._wire(channel), message)

    async def group_add(self, group: str, channel: str) -> None:
        """`channel` hears `group` from when this returns."""
        await self.join_groups(channel, group)

    async def join_groups(self, channel: str, *groups: str) -> None:
        """`channel` hears these `groups` from when this returns."""
        names = [self._wire(group) for group in groups]
        self._receivers.join(channel, names)
        await self._link.subscriber.want(*names)

    async def group_discard(self, group: str, channel: str) -> None:
        """`channel` no longer hears `group`."""
        name = self._wire(group)
        if self._receivers.leave(channel, name):
            self._link.subscriber.unwant(name)

    async def broadcast(self, group: str, text: str) -> None:
        """Put a finished frame on the sockets of all members of `group`, here and in the other processes."""
        await self._publish(self._wire(group), frame(text))

    async def group_send(self, group: str, message: Event) -> None:
        """Send to all members of `group`, here and in the other processes."""
        await self._publish(self._wire(group), message)

    async def publish_within(
        self, step: Callable[[Sequence[Publication]], Awaitable[Result]], *frames: GroupFrame
    ) -> Result | Unkept:
        """Send each frame to its group as part of one step in Valkey; returns what the step returns.

        `step` is given one Publication a frame, in the same order. It publishes the head followed by the frame's text.
        When Valkey cannot do the step, the frames are sent without it.
        """
        channels = [self._wire(each.group) for each in frames]
        numbers: list[int] = []
        if self._link.subscriber.live and self._link.health.writable:
            numbers += [self._next_number(channel) for channel in channels]
            heads = [self._publishes.header(number) + FRAME_MARK for number in numbers]
            try:
                return await step(list(map(Publication, channels, heads)))
            except Unavailable:
                pass
            except ResponseError as error:
                logger.error("Valkey/Redis could not keep a message: %s", reason_of(error))
        await self._send_unkept(channels, numbers or [0] * len(channels), (frame(each.text()) for each in frames))
        return Unkept()

    async def _send_unkept(self, channels: Sequence[bytes], numbers: Sequence[int], events: Iterable[Event]) -> None:
        """Send events whose step failed. A number other than 0 is that of a publish which may have been heard."""
        for channel, number, event in zip(channels, numbers, events, strict=True):
            if self._link.subscriber.live or not number:
                await self._publish(channel, event)  # the step was refused as a whole, or not tried
            elif not self._publishes.was_heard(number):
                self._receivers.deliver(channel, event)
                observe_direct_delivery()

    async def has_members(self, group: str) -> bool:
        """Whether anybody hears `group`, here or in another process."""
        name = self._wire(group)
        if self._receivers.has_members(name):
            return True
        try:
            listening = (await self._link.execute("PUBSUB", "NUMSUB", name))[1]
        except (Unavailable, ResponseError):
            return False
        return bool(listening > self._link.subscriber.hears(name))

    async def flush(self) -> None:
        """Forget all channels and groups."""
        for channel in list(self._receivers.channels):
            await self.close_channel(channel)

    def _wire(self, name: str) -> bytes:
        return (self._prefix + name).encode()

    def _next_number(self, name: bytes) -> int:
        return self._publishes.next_number(is_heard_here=self._receivers.has_members(name))

    async def _publish(self, name: bytes, message: Event) -> None:
        if not self._link.subscriber.live:
            self._receivers.deliver(name, message)
            observe_direct_delivery()
            return
        number = self._next_number(name)
        try:
            await self._link.execute("PUBLISH", name, self._publishes.header(number) + packed(message))
        except (Unavailable, ResponseError):
            if not self._publishes.was_heard(number):
                self._receivers.deliver(name, message)
            self._publishes.observe_delivery(number)

    def _hear(self, name: bytes, data: bytes) -> None:
        number = self._publishes.number_in(data)
        if number and not self._publishes.hear(number):
            return
        self._receivers.deliver(name, unpacked(data[HEADER:]))
        if number:
            self._publishes.observe_delivery(number)


def announce(client: redis.Redis, group: str, event: Event) -> None:
    """Send an event to all members of `group`, in every process, from outside the event loop over a blocking client."""
    client.publish((channel_prefix() + group).encode(), foreign_header() + packed(event))
