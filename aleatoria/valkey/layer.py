"""The channel layer: Channels' own API over Valkey pub/sub, which never raises and never holds up a handler.

What it does that the stock layers do not, and why, is in docs/decisions/0002-channel-layer.md.
"""

import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable
from random import getrandbits
from time import perf_counter
from typing import Any, TypeVar

import redis
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.conf import settings
from redis.exceptions import ResponseError

from aleatoria.telemetry import metrics, trace
from aleatoria.valkey.channel import Channel, Event, Sink
from aleatoria.valkey.link import valkey
from aleatoria.valkey.pipeline import Unavailable, reason_of

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

_DELIVERIES = metrics.Counter(
    "aleatoria_deliveries", "Broadcasts and direct messages handed to sockets here, by socket."
)
_DELIVERY = metrics.Histogram(
    "aleatoria_delivery_seconds",
    "From receiving a frame here to having handed what it led to to the last socket here.",
    metrics.SECONDS,
)

FRAME = "websocket.send"
"""The type of an event that is a finished frame, in `text`."""
_SENDER = 8
_HEADER = 16
# What follows the header: a finished frame as it is, or any other event through msgpack.
_FRAME, _EVENT = b"f", b"e"


class ChannelLayer(RedisPubSubChannelLayer):  # type: ignore[misc] # channels-redis has no annotations
    """One process's groups and channels, joined to those of the other processes by Valkey.

    In health everything goes by way of Valkey, so that all processes see one order. While it is out, or when a
    publish fails, the members in this process are served directly, each event once.
    """

    extensions = ["groups", "flush"]

    def __init__(self, prefix: str = "aleatoria", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Pub/sub knows no databases: the number keeps two installations on one Valkey apart.
        self._prefix = f"{prefix}:{settings.REDIS_DB}:"
        self._channels: dict[str, Channel] = {}
        self._groups: dict[bytes, dict[str, Channel]] = {}
        # Our own publishes are numbered, so that one whose answer was lost is not delivered twice.
        self._sender = os.urandom(_SENDER)
        self._sent = self._heard = self._void = 0
        self._causes: deque[tuple[int, float]] = deque()
        """Our publishes that will be heard here: their numbers, and when the frames that led to them came in."""
        valkey.subscriber.on_message = self._receive
        valkey.health.on_down.append(self._forget_flying)

    async def new_channel(self, prefix: str = "specific") -> str:
        """A name for a new receiver in this process. Needs no Valkey."""
        name = f"{prefix}.{getrandbits(128):032x}"
        self._channels[name] = Channel()
        return name

    def attach(self, channel: str, sink: Sink, on_overflow: Callable[[], None]) -> None:
        """Hand what comes for `channel` straight to `sink` instead of to `receive`."""
        self._channels[channel].attach(sink, on_overflow)

    def attach_writer(self, channel: str, write: Callable[[str], bool]) -> None:
        """From now on finished frames for `channel` go to `write`; what it does not take goes to the sink."""
        self._channels[channel].write = write

    async def close_channel(self, channel: str) -> None:
        """Take `channel` out of all its groups and forget it."""
        closed = self._channels.pop(channel, None)
        if closed is None:
            return
        closed.close()
        for name in closed.groups:
            self._leave(name, channel)
        valkey.subscriber.unwant(self._wire(channel))

    async def receive(self, channel: str) -> Event:
        """The next event for `channel`: what an ordinary Channels consumer awaits."""
        if channel not in self._channels:
            self._channels[channel] = Channel()
        await valkey.subscriber.want(self._wire(channel))
        return await self._channels[channel].queue.get()

    async def send(self, channel: str, message: Event) -> None:
        """Send to one receiver, in whichever process it is."""
        if channel in self._channels:
            self._channels[channel].hand(message)
        else:
            await self._publish(self._wire(channel), message)

    async def group_add(self, group: str, channel: str) -> None:
        """`channel` hears `group` from when this returns."""
        await self.join_groups(channel, group)

    async def join_groups(self, channel: str, *groups: str) -> None:
        """`channel` hears these `groups` from when this returns."""
        names, member = [self._wire(group) for group in groups], self._channels[channel]
        for name in names:
            self._groups.setdefault(name, {})[channel] = member
            member.groups.add(name)
        await valkey.subscriber.want(*names)

    async def group_discard(self, group: str, channel: str) -> None:
        """`channel` no longer hears `group`."""
        name = self._wire(group)
        if channel in self._channels:
            self._channels[channel].groups.discard(name)
        self._leave(name, channel)

    async def group_send(self, group: str, message: Event) -> None:
        """Send to all members of `group`, here and in the other processes."""
        await self._publish(self._wire(group), message)

    async def publish_within(
        self, step: Callable[..., Awaitable[Result]], *frames: tuple[str, Callable[[], str]]
    ) -> Result | None:
        """Send each frame to its group as part of one step in Valkey; what the step returns.

        `step` is given a channel and a head for each, and has to publish there the head followed by the frame's text.
        None: Valkey could not do the step, and the frames, whose texts are made only then, have been sent without it.
        """
        names = [self._wire(group) for group, _ in frames]
        events = ({"type": FRAME, "text": text()} for _, text in frames)
        if not (valkey.subscriber.live and valkey.health.writable):
            for name, event in zip(names, events, strict=True):
                await self._publish(name, event)
            return None
        numbers, where = [], []
        for name in names:
            numbers.append(number := self._next_number(name))
            where += [name, self._header(number) + _FRAME]
        try:
            return await step(*where)
        except Unavailable:
            pass
        except ResponseError as error:
            logger.error("Valkey/Redis could not keep a message: %s", reason_of(error))
        for name, number, event in zip(names, numbers, events, strict=True):
            if valkey.subscriber.live:
                await self._publish(name, event)  # it was refused as a whole
            elif number > self._heard:
                self._deliver_here(name, event)
        return None

    def announce(self, client: redis.Redis, group: str, message: Event) -> None:
        """Send to all members of `group` from outside the event loop, over a blocking client."""
        header = os.urandom(_SENDER) + bytes(_HEADER - _SENDER)
        client.publish(self._wire(group), header + self._packed(message))

    async def has_members(self, group: str) -> bool:
        """Whether anybody hears `group`, here or in another process."""
        name = self._wire(group)
        if name in self._groups:
            return True
        try:
            listening = (await valkey.execute("PUBSUB", "NUMSUB", name))[1]
        except (Unavailable, ResponseError):
            return False
        return bool(listening > valkey.subscriber.hears(name))

    async def flush(self) -> None:
        """Forget all channels and groups."""
        for channel in list(self._channels):
            await self.close_channel(channel)

    def _wire(self, name: str) -> bytes:
        return (self._prefix + name).encode()

    def _leave(self, name: bytes, channel: str) -> None:
        members = self._groups.get(name)
        if members is None:
            return
        members.pop(channel, None)
        if not members:
            del self._groups[name]
            valkey.subscriber.unwant(name)

    async def _publish(self, name: bytes, message: Event) -> None:
        if not valkey.subscriber.live:
            self._deliver_here(name, message)
            return
        number = self._next_number(name)
        try:
            await valkey.execute("PUBLISH", name, self._header(number) + self._packed(message))
        except (Unavailable, ResponseError):
            if number > self._heard:
                self._deliver(name, message)
            self._observe_delivery(number)

    def _next_number(self, name: bytes) -> int:
        self._sent = number = self._sent + 1
        cause = trace.current.get()
        if cause is not None and cause.received_at and name in self._groups:
            self._causes.append((number, cause.received_at))
        return number

    def _header(self, number: int) -> bytes:
        return self._sender + number.to_bytes(_HEADER - _SENDER, "big")

    def _packed(self, message: Event) -> bytes:
        if message["type"] == FRAME:
            return _FRAME + str(message["text"]).encode()
        packed: bytes = self.serialize(message)
        return _EVENT + packed

    def _unpacked(self, data: bytes) -> Event:
        if data[_HEADER : _HEADER + 1] == _FRAME:
            return {"type": FRAME, "text": data[_HEADER + 1 :].decode()}
        event: Event = self.deserialize(data[_HEADER + 1 :])
        return event

    def _deliver_here(self, name: bytes, message: Event) -> None:
        self._deliver(name, message)
        cause = trace.current.get()
        if cause is not None and cause.received_at:
            _DELIVERY.observe(perf_counter() - cause.received_at)

    def _receive(self, name: bytes, data: bytes) -> None:
        if data[:_SENDER] == self._sender:
            number = int.from_bytes(data[_SENDER:_HEADER], "big")
            if number <= self._void:
                return  # from before an outage, and delivered directly since
            self._heard = number
            self._deliver(name, self._unpacked(data))
            self._observe_delivery(number)
        else:
            self._deliver(name, self._unpacked(data))

    def _observe_delivery(self, number: int) -> None:
        # They are heard in their order: what stands before this one has got lost.
        while self._causes and self._causes[0][0] <= number:
            heard, received_at = self._causes.popleft()
            if heard == number:
                _DELIVERY.observe(perf_counter() - received_at)

    def _forget_flying(self) -> None:
        self._void = self._sent
        self._causes.clear()

    def _deliver(self, name: bytes, message: Event) -> None:
        members = self._groups.get(name)
        if members is not None:
            if message["type"] == FRAME:
                _DELIVERIES.count += len(members)
                text = message["text"]
                for channel in list(members.values()):
                    # Straight to the socket if it takes it like that, and nothing waits there.
                    if channel.write is None or channel.task is not None or not channel.write(text):
                        channel.hand(message)
                return
            for channel in list(members.values()):
                channel.hand(message)
            return
        single = self._channels.get(name.decode().removeprefix(self._prefix))
        if single is not None:
            single.hand(message)
