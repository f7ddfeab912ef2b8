"""A process's link to Valkey: one connection for commands, one subscribed, and the watchdog over both."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from contextvars import Context
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from aleatoria.valkey.address import Address
from aleatoria.valkey.health import Health, State
from aleatoria.valkey.pipeline import ERRORS, Argument, PendingCommand, Pipeline, Unavailable
from aleatoria.valkey.script import Script
from aleatoria.valkey.subscriber import Subscriber

logger = logging.getLogger(__name__)

WATCH_EVERY = 1.0
ANSWER_WITHIN = 1.0
START_WITHIN = 0.4
"""Seconds the first users wait to learn whether Valkey is there."""

# Writes nothing, yet Valkey refuses it whenever it would refuse a write: full, a replica, no disk, no permission.
PROBE = ("SETRANGE", "aleatoria:probe", 0, "")


class Link:
    """Commands, subscriptions and their health. While Valkey is away every command fails with Unavailable at once.

    Of the ten connections that the original server allows itself, two are enough.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        """Where to connect. A new one counts from the next `start` on."""
        self.health = Health()
        self.health.on_down.append(self._let_go)
        self.subscriber = Subscriber(on_broken=self._fail)
        self._pipeline: Pipeline | None = None
        self._connections: list[AbstractConnection] = []
        self._watchdog: asyncio.Task[None] | None = None
        self._known = asyncio.Event()

    def execute(self, *command: Argument) -> asyncio.Future[Any]:
        """The answer to `command`, to be awaited."""
        return self._execute(PendingCommand(command))

    def run(self, script: Script, keys: Sequence[str], *args: Argument) -> asyncio.Future[Any]:
        """The answer of a script, to be awaited."""
        return self._execute(script.call(keys, *args))

    def post(self, *command: Argument) -> None:
        """Send a command ahead of whatever is sent after it; while Valkey is away it is dropped."""
        self._post(PendingCommand(command))

    def post_run(self, script: Script, keys: Sequence[str], *args: Argument) -> None:
        """Run a script ahead of whatever is sent after it; while Valkey is away it is dropped."""
        self._post(script.call(keys, *args))

    def _post(self, call: PendingCommand) -> None:
        if self._pipeline is not None:
            self._pipeline.post(call)
        else:
            call.fail(Unavailable())

    def _execute(self, call: PendingCommand) -> asyncio.Future[Any]:
        if self._pipeline is not None:
            return self._pipeline.execute(call)
        answer = asyncio.get_running_loop().create_future()
        answer.set_exception(Unavailable())
        return answer

    async def all_heard(self) -> None:
        """Returns when what has been published here so far has been delivered here too, or cannot be."""
        with suppress(RedisError, OSError):
            await self.subscriber.ping(ANSWER_WITHIN)

    async def start(self) -> None:
        """Start watching, unless it has been started; returns when the state is known, or soon."""
        if self._watchdog is None:
            # In a context of its own: what it logs is not about the socket that happened to start it.
            self._watchdog = asyncio.create_task(self._watch(), context=Context())
        if not self._known.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._known.wait(), START_WITHIN)

    async def stop(self) -> None:
        """End the watchdog and close the connections; `start` begins anew."""
        # Again and again: while it connects, redis-py's `wait_for` may swallow a cancellation (Python 3.11).
        while self._watchdog is not None and not self._watchdog.done():
            self._watchdog.cancel()
            await asyncio.wait([self._watchdog], timeout=0.1)
        self._let_go()
        await self._disconnect()
        self._watchdog, self.health.state, self.health.back_at = None, State.UNKNOWN, 0.0
        self._known.clear()

    async def _watch(self) -> None:
        while True:
            try:
                await self._check()
            except (RedisError, OSError) as error:
                self._fail(error)
            except Unavailable:
                pass  # its cause has been reported
            except Exception as error:
                # Nobody else would notice that nobody watches.
                logger.exception("watching Valkey failed")
                self.health.down(error)
            if not self.health.reachable:
                self._let_go()
            self._known.set()
            await asyncio.sleep(WATCH_EVERY)

    async def _check(self) -> None:
        if self._pipeline is None:
            await self._connect()
        await self.subscriber.ping(ANSWER_WITHIN)
        await self.execute(*PROBE)
        await self.health.up()

    async def _connect(self) -> None:
        await self._disconnect()
        commands, subscription = self.address.connection(), self.address.connection()
        self._connections = [commands, subscription]
        await commands.connect()  # type: ignore[no-untyped-call] # redis-py's
        pipeline = Pipeline(commands, on_broken=self._fail, on_refused=self.health.read_only)
        for script in Script.all:
            await pipeline.execute(PendingCommand(("SCRIPT", "LOAD", script.text)))
        await subscription.connect()  # type: ignore[no-untyped-call]
        await self.subscriber.resume(subscription)
        self._pipeline = pipeline

    def _fail(self, error: Exception) -> None:
        ERRORS.by["connection"] += 1
        self.health.down(error)

    def _let_go(self) -> None:
        pipeline, self._pipeline = self._pipeline, None
        self.subscriber.drop()
        if pipeline is not None:
            pipeline.close()

    async def _disconnect(self) -> None:
        for connection in self._connections:
            # Not waiting: a hung Valkey would never take the rest.
            await connection.disconnect(nowait=True)
        self._connections = []
