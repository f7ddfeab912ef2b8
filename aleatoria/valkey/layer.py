"""The channel layer: Channels' own API over Valkey pub/sub, which never raises and never holds up a handler.

What it does that the stock layers do not, and why, is in docs/decisions/0002-channel-layer.md.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from random import getrandbits
from time import perf_counter
from types import coroutine
from typing import Any, TypeVar

import redis
from redis.exceptions import ResponseError

from aleatoria.telemetry import metrics, trace
from aleatoria.valkey.events import FRAME, FRAME_MARK, PREFIX, Event, channel_prefix, frame, packed, unpacked
from aleatoria.valkey.link import Link
from aleatoria.valkey.pipeline import Unavailable, reason_of
from aleatoria.valkey.publication import GroupFrame, Publication, Unkept

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Sink = Callable[[Event], Coroutine[Any, Any, None]]

_DELIVERIES = metrics.Counter(
    "aleatoria_deliveries", "Broadcasts and direct messages handed to sockets here, by socket."
)
_DELIVERY = metrics.Histogram(
    "aleatoria_delivery_seconds",
    "From receiving a frame here to having handed what it led to to the last socket here.",
    metrics.SECONDS,
)

BACKLOG_EVENTS = 1000
"""Events one receiver may be behind before it is cut off."""
_SENDER = 8
_HEADER = 16


class Channel:
    """One receiver in this process. An event goes straight to its sink; what the sink cannot take at once waits."""

    # What only some need, or only at times, is made when it is: there are as many of these as sockets.
    __slots__ = ("_backlog", "_on_overflow", "_queue", "_sink", "groups", "task", "write")

    def __init__(self) -> None:
        self.groups: set[bytes] = set()
        self._queue: asyncio.Queue[Event] | None = None
        self._sink: Sink = self._enqueue
        self._on_overflow: Callable[[], None] = _ignore
        self._backlog: deque[Event] | None = None
        self.task: asyncio.Task[None] | None = None
        """What brings it the events that had to wait."""
        self.write: Callable[[str], bool] | None = None
        """Takes the text of a finished frame without waiting, where the server has such a thing; whether it has."""

    @property
    def queue(self) -> asyncio.Queue[Event]:
        """What waits for `receive`, where there is no sink."""
        if self._queue is None:
            self._queue = asyncio.Queue(BACKLOG_EVENTS)
        return self._queue

    def attach(self, sink: Sink, on_overflow: Callable[[], None]) -> None:
        """Hand events to `sink` from now on; past the bound tell `on_overflow` and drop."""
        self._sink = sink
        self._on_overflow = on_overflow

    def hand(self, event: Event) -> None:
        """Give it to the sink; if that has to wait, it waits in a task of its own, and others behind it.

        Its first step runs in the task of whoever hands: no `asyncio.timeout` in it, that would be his.
        """
        if self.task is not None:
            if self._backlog is None:
                self._backlog = deque()
            if len(self._backlog) < BACKLOG_EVENTS:
                self._backlog.append(event)
            else:
                self._on_overflow()
            return
        step = self._sink(event)
        try:
            pending = step.send(None)
        except StopIteration:
            return
        except Exception:
            logger.debug("a receiver is gone", exc_info=True)
            return
        self.task = asyncio.get_running_loop().create_task(self._catch_up(step, pending))

    def close(self) -> None:
        """Deliver no more."""
        self._backlog = None
        self.write = None
        if self.task is not None:
            self.task.cancel()

    async def _enqueue(self, event: Event) -> None:
        if self.queue.full():
            self._on_overflow()
        else:
            self.queue.put_nowait(event)

    async def _catch_up(self, step: Coroutine[Any, Any, None], pending: object) -> None:
        try:
            await _finish(step, pending)
            while self._backlog:
                await self._sink(self._backlog.popleft())
        except Exception:
            logger.debug("a receiver is gone", exc_info=True)
        finally:
            self.task = self._backlog = None


def _ignore() -> None:
    pass


@coroutine
def _finish(step: Coroutine[Any, Any, None], pending: object) -> Generator[Any, Any, None]:
    """Await a coroutine whose first step has been taken and has yielded `pending`."""
    try:
        while True:
            try:
                value = yield pending
            except BaseException as error:  # a cancellation is the coroutine's to handle
                pending = step.throw(error)
            else:
                pending = step.send(value)
    except StopIteration:
        return


class ChannelLayer:
    """One process's groups and channels, joined to those of the other processes by Valkey.

    In health everything goes by way of Valkey, so that all processes see one order. While it is out, or when a
    publish fails, the members in this process are served directly, each event once.
    """

    extensions = ["groups", "flush"]

    def __init__(self, link: Link, prefix: str = PREFIX) -> None:
        self._link = link
        # Pub/sub knows no databases: the number keeps two installations on one Valkey apart.
        self._prefix = channel_prefix(prefix)
        self._channels: dict[str, Channel] = {}
        self._groups: dict[bytes, dict[str, Channel]] = {}
        # Our own publishes are numbered, so that one whose answer was lost is not delivered twice.
        self._sender = os.urandom(_SENDER)
        self._sent = self._heard = self._void = 0
        self._causes: deque[tuple[int, float]] = deque()
        """Our publishes that will be heard here: their numbers, and when the frames that led to them came in."""
        link.subscriber.on_message = self._receive
        link.health.on_down.append(self._forget_flying)

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
        self._link.subscriber.unwant(self._wire(channel))

    async def receive(self, channel: str) -> Event:
        """The next event for `channel`: what an ordinary Channels consumer awaits."""
        if channel not in self._channels:
            self._channels[channel] = Channel()
        await self._link.subscriber.want(self._wire(channel))
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
        await self._link.subscriber.want(*names)

    async def group_discard(self, group: str, channel: str) -> None:
        """`channel` no longer hears `group`."""
        name = self._wire(group)
        if channel in self._channels:
            self._channels[channel].groups.discard(name)
        self._leave(name, channel)

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
        events = (frame(each.text()) for each in frames)
        if not (self._link.subscriber.live and self._link.health.writable):
            for channel, event in zip(channels, events, strict=True):
                await self._publish(channel, event)
            return Unkept()
        numbers = [self._next_number(channel) for channel in channels]
        heads = [self._header(number) + FRAME_MARK for number in numbers]
        try:
            return await step(list(map(Publication, channels, heads)))
        except Unavailable:
            pass
        except ResponseError as error:
            logger.error("Valkey/Redis could not keep a message: %s", reason_of(error))
        for channel, number, event in zip(channels, numbers, events, strict=True):
            if self._link.subscriber.live:
                await self._publish(channel, event)  # it was refused as a whole
            elif number > self._heard:
                self._deliver_here(channel, event)
        return Unkept()

    async def has_members(self, group: str) -> bool:
        """Whether anybody hears `group`, here or in another process."""
        name = self._wire(group)
        if name in self._groups:
            return True
        try:
            listening = (await self._link.execute("PUBSUB", "NUMSUB", name))[1]
        except (Unavailable, ResponseError):
            return False
        return bool(listening > self._link.subscriber.hears(name))

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
            self._link.subscriber.unwant(name)

    async def _publish(self, name: bytes, message: Event) -> None:
        if not self._link.subscriber.live:
            self._deliver_here(name, message)
            return
        number = self._next_number(name)
        try:
            await self._link.execute("PUBLISH", name, self._header(number) + packed(message))
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
            self._deliver(name, unpacked(data[_HEADER:]))
            self._observe_delivery(number)
        else:
            self._deliver(name, unpacked(data[_HEADER:]))

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


def announce(client: redis.Redis, group: str, event: Event) -> None:
    """Send an event to all members of `group`, in every process, from outside the event loop over a blocking client."""
    header = os.urandom(_SENDER) + bytes(_HEADER - _SENDER)
    client.publish((channel_prefix() + group).encode(), header + packed(event))
