"""The subscribed connection to Valkey: keeps the wanted channels subscribed, and hands on what is published there."""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import takewhile

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from aleatoria.valkey.stream import Stream

CONFIRM_DEADLINE = 0.5
"""Seconds that `want` waits for Valkey to confirm a subscription."""
LINGER = 1.0
"""Seconds that a channel stays subscribed after it is unwanted, as people who reload their page come back to it."""


class Subscriber:
    """The channels that this process subscribes to, also after a reconnect.

    A channel is wanted, then asked for (SUBSCRIBE has been sent), then confirmed by Valkey. After `unwant` it stays
    confirmed for LINGER seconds.
    """

    def __init__(self, *, on_broken: Callable[[Exception], None]) -> None:
        self.on_message: Callable[[bytes, bytes], None] = lambda channel, data: None
        """Called with the channel and the data of each message."""
        self._on_broken = on_broken
        self._wanted: set[bytes] = set()
        self._unwanted: dict[bytes, float] = {}
        """When each channel was unwanted, in seconds of the event loop's clock; the oldest first."""
        self._asked: set[bytes] = set()
        self._unasked: set[bytes] = set()
        """The wanted channels that are not asked for. Kept apart, as thousands may be asked for already."""
        self._confirmed: set[bytes] = set()
        self._waiting: dict[bytes, asyncio.Future[None]] = {}
        """The futures of the confirmations that somebody waits for."""
        self._stream: Stream | None = None
        self._reader: asyncio.Task[None] | None = None
        self._is_due = False
        """Whether `_reconcile` is scheduled."""
        self._pongs: deque[asyncio.Future[None]] = deque()
        """The futures of the pings that are not answered yet, the oldest first."""

    @property
    def live(self) -> bool:
        """Whether the subscribed connection is up."""
        return self._stream is not None

    def hears(self, channel: bytes) -> bool:
        """Return whether Valkey counts this process among the subscribers of `channel`, the linger included."""
        return channel in self._confirmed

    async def want(self, *channels: bytes) -> None:
        """Subscribe to `channels`, and wait for Valkey to confirm that, at most CONFIRM_DEADLINE seconds.

        While the connection is down this returns at once; `resume` subscribes.
        """
        for channel in channels:
            self._wanted.add(channel)
            self._unwanted.pop(channel, None)
            if channel not in self._asked:
                self._unasked.add(channel)
        if self._stream is None:
            return
        waiting = {self._confirmation(channel) for channel in channels if channel not in self._confirmed}
        if waiting:
            self._reconcile_soon()
            await asyncio.wait(waiting, timeout=CONFIRM_DEADLINE)

    def unwant(self, channel: bytes) -> None:
        """Unsubscribe from `channel` after LINGER seconds, unless it is wanted again by then."""
        self._wanted.discard(channel)
        self._unasked.discard(channel)
        if channel in self._asked:
            loop = asyncio.get_running_loop()
            self._unwanted.pop(channel, None)
            self._unwanted[channel] = loop.time()
            loop.call_later(1.01 * LINGER, self._reconcile_soon)

    async def resume(self, connection: AbstractConnection) -> None:
        """Subscribe to all wanted channels over a new `connection`; RedisError or TimeoutError when that fails."""
        self._asked, self._confirmed, self._unasked = set(), set(), set(self._wanted)
        self._unwanted.clear()
        self._pongs.clear()
        self._stream = stream = Stream(connection)
        self._reader = asyncio.create_task(self._read(stream))
        waiting = [self._confirmation(channel) for channel in self._wanted]
        self._reconcile_soon()
        if waiting and (await asyncio.wait(waiting, timeout=5))[1]:
            raise TimeoutError("the subscriptions were not confirmed")
        if self._stream is not stream:
            raise RedisConnectionError("lost again while subscribing")

    async def ping(self, deadline: float) -> None:
        """Wait until every message published before now has been handed on; TimeoutError after `deadline` seconds."""
        if self._stream is None:
            raise RedisConnectionError("not subscribed")
        pong = asyncio.get_running_loop().create_future()
        self._pongs.append(pong)
        self._stream.send([("PING",)])
        if not (await asyncio.wait([pong], timeout=deadline))[0]:
            raise TimeoutError("the subscribed connection is silent")

    def drop(self) -> None:
        """Give the connection up. Messages that are still in its buffers are not handed on."""
        self._stream = None
        if self._reader is not None:
            self._reader.cancel()
        for confirmed in self._waiting.values():
            if not confirmed.done():
                confirmed.set_result(None)
        self._waiting.clear()

    def _confirmation(self, channel: bytes) -> asyncio.Future[None]:
        return self._waiting.setdefault(channel, asyncio.get_running_loop().create_future())

    def _reconcile_soon(self) -> None:
        """Reconcile at the end of this turn of the event loop, so that what many ask for at once is one command."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._reconcile)

    def _reconcile(self) -> None:
        self._is_due = False
        if self._stream is None:
            return
        wanted, self._unasked = self._unasked, set()
        # A channel is unsubscribed only once it is confirmed. Otherwise the confirmation of this subscription could be
        # taken for that of the next one.
        unwanted = self._confirmed & self._long_unwanted()
        self._asked |= wanted
        self._asked -= unwanted
        self._confirmed -= unwanted
        for channel in unwanted:
            del self._unwanted[channel]
        commands = [(verb, *some) for verb, some in (("UNSUBSCRIBE", unwanted), ("SUBSCRIBE", wanted)) if some]
        if commands:
            self._stream.send(commands)

    def _long_unwanted(self) -> set[bytes]:
        until = asyncio.get_running_loop().time() - LINGER
        return {channel for channel, _ in takewhile(lambda one: one[1] <= until, self._unwanted.items())}

    async def _read(self, stream: Stream) -> None:
        try:
            while self._stream is stream:
                for push in await stream.answers():
                    if self._stream is stream:  # else the connection has been given up meanwhile
                        self._hear(push)
        except (RedisError, OSError) as error:
            if self._stream is stream:
                self._on_broken(error)

    def _hear(self, push: list[bytes] | bytes) -> None:
        if not isinstance(push, list):
            push = [b"pong"]  # without a subscription, the answer to PING is not a push
        kind = push[0]
        if kind == b"message":
            self.on_message(push[1], push[2])
        elif kind == b"subscribe":
            self._confirm(push[1])
        elif kind == b"pong":
            self._pongs.popleft().set_result(None)

    def _confirm(self, channel: bytes) -> None:
        self._confirmed.add(channel)
        waiting = self._waiting.pop(channel, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
