"""This process's one link to Valkey: where it is, the pipeline, the subscriber, and the watchdog over both."""

import asyncio
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from contextvars import Context
from pathlib import Path
from typing import Any, NamedTuple

import redis
from django.conf import settings
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry as BlockingRetry

from aleatoria.telemetry import metrics
from aleatoria.valkey.health import Health, State
from aleatoria.valkey.pipeline import ERRORS, Argument, PendingCommand, Pipeline, Unavailable
from aleatoria.valkey.script import Script
from aleatoria.valkey.subscriber import Subscriber

logger = logging.getLogger(__name__)

# The customer's document, "Connection Pooling"; of the ten connections it allows, two are enough.
CONNECT_DEADLINE = 5.0
READ_DEADLINE = 3.0

WATCH_EVERY = 1.0
ANSWER_WITHIN = 1.0
START_WITHIN = 0.4
"""Seconds the first users wait to learn whether Valkey is there."""

LOOK_FOR = 0.5
"""Seconds in which a Valkey on this machine has to answer."""
# A Unix socket's path may have 107 bytes on Linux, 103 on macOS.
_SOCKET_PATH_MAX = 103

# Writes nothing, yet is refused whenever a write would be: full, a replica, no disk, no permission.
PROBE = ("SETRANGE", "aleatoria:probe", 0, "")


class Address(NamedTuple):
    """Where a Valkey is and how to get in."""

    host: str = "localhost"
    port: int = 6379
    unix_socket: str = ""
    username: str = ""
    password: str = ""
    tls: bool = False
    db: int = 0

    @classmethod
    def configured(cls) -> "Address":
        """What the settings say."""
        return cls(
            settings.VALKEY_HOST,
            settings.VALKEY_PORT,
            username=settings.VALKEY_USERNAME,
            password=settings.VALKEY_PASSWORD,
            tls=settings.VALKEY_USE_TLS,
            db=settings.REDIS_DB,
        )

    def __str__(self) -> str:
        return self.unix_socket or f"{self.host}:{self.port}"

    def connection(self) -> AbstractConnection:
        """A connection yet to be made, with the customer's deadlines and without redis-py's own retries."""
        kind: type[AbstractConnection] = SSLConnection if self.tls else Connection
        where: dict[str, Any] = {"host": self.host, "port": self.port}
        if self.unix_socket:
            kind, where = UnixDomainSocketConnection, {"path": self.unix_socket}
        return kind(
            username=self.username or None,
            password=self.password or None,
            db=self.db,
            protocol=2,
            socket_timeout=READ_DEADLINE,
            socket_connect_timeout=CONNECT_DEADLINE,
            retry=Retry(NoBackoff(), 0),
            **where,
        )

    def client(self, *, answer_within: float = READ_DEADLINE) -> redis.Redis:
        """A blocking client for commands and the admin; never for the live path."""
        return redis.Redis(
            host=self.host,
            port=self.port,
            unix_socket_path=self.unix_socket or None,
            username=self.username or None,
            password=self.password or None,
            ssl=self.tls,
            db=self.db,
            protocol=2,
            socket_timeout=answer_within,
            socket_connect_timeout=answer_within,
            retry=BlockingRetry(NoBackoff(), 0),
        )

    def answers(self, within: float) -> bool:
        """Whether anything there answers and lets us in."""
        with self.client(answer_within=within) as client:
            try:
                client.ping()
            except RedisError:
                return False
        return True


def embedded_address(directory: Path) -> Address:
    """Where the Valkey of our own with its data in `directory` listens: a socket that only its user can open."""
    path = directory / "valkey.sock"
    if len(os.fsencode(path)) > _SOCKET_PATH_MAX:
        digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"aleatoria-{os.getuid()}-{digest}" / "valkey.sock"
    return Address(unix_socket=str(path))


def find() -> Address:
    """The Valkey that a server of this installation uses: the configured one, the one on this machine, else its own."""
    configured = Address.configured()
    embedded = embedded_address(settings.DATA_DIR / "valkey")
    if settings.VALKEY_CONFIGURED or configured.answers(LOOK_FOR) or not Path(embedded.unix_socket).exists():
        return configured
    return embedded


class Chore:
    """Something to be done now and then, and when it was last done."""

    def __init__(self, every: float, work: Callable[[], Awaitable[None]]) -> None:
        self.every, self.work, self.done = every, work, time.monotonic()


class Valkey:
    """Commands, subscriptions and their health. While Valkey is away every command fails with Unavailable at once.

    Two connections, always ready: one for all commands, one subscribed.
    """

    def __init__(self) -> None:
        self.address = Address.configured()
        self.health = Health()
        self.health.on_down.append(self._let_go)
        self.subscriber = Subscriber(on_broken=self._fail)
        self._pipeline: Pipeline | None = None
        self._connections: list[AbstractConnection] = []
        self._watchdog: asyncio.Task[None] | None = None
        self._known = asyncio.Event()
        self._chores: list[Chore] = []

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

    def every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work`, which must not take long, this often, whether Valkey is there or not."""
        self._chores.append(Chore(seconds, work))

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
            await self._do_chores()
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

    async def _do_chores(self) -> None:
        now = time.monotonic()
        for chore in self._chores:
            if now - chore.done >= chore.every:
                chore.done = now
                try:
                    await chore.work()
                except Exception:
                    logger.exception("a periodic task failed")

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


valkey = Valkey()
"""The one of this process."""
metrics.Gauge(
    "aleatoria_degraded", "1 while Valkey is away, or refuses writes; else 0.", lambda: valkey.health.degraded
)
