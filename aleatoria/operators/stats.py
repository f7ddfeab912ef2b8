"""What can be seen in Valkey, for the admin and for commands: blocking, read-only, never on the live path.

`SCAN` only, never `KEYS`; many small commands in one pipeline, so that none holds up the chat.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import redis

from aleatoria.operators import totals
from aleatoria.valkey import keys
from aleatoria.valkey.address import Address
from aleatoria.valkey.health import State

ANSWER_WITHIN = 2.0
_AT_ONCE = 1000

Ask = Callable[[Any], object]
"""Puts one command into a pipeline."""


class Away(Exception):
    """Valkey cannot be asked; the text says where it should be and why not."""


@contextmanager
def looking(address: Address, state: State = State.UNKNOWN) -> Iterator[redis.Redis]:
    """A client to look at the Valkey at `address` with; Away when it does not answer, or is known to be DOWN."""
    if state is State.DOWN:
        raise Away(f"Valkey/Redis at {address} is away.")
    try:
        with address.client(answer_within=ANSWER_WITHIN) as client:
            yield client
    except redis.exceptions.AuthenticationError as error:  # which for redis-py is a ConnectionError
        raise Away(f"Valkey/Redis at {address} lets nobody in: {error}") from error
    except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError) as error:
        raise Away(f"Valkey/Redis at {address} does not answer: {str(error).rstrip('.')}.") from error


def found(client: redis.Redis, prefix: str) -> Iterator[str]:
    """What stands behind `prefix` in the names of keys, each once, in no order."""
    seen = set()
    for key in client.scan_iter(match=f"{keys.literally(prefix)}*", count=_AT_ONCE):
        if key not in seen:
            seen.add(key)
            yield key.decode(errors="backslashreplace").removeprefix(prefix)


def asking(command: str, *args: object) -> Ask:
    """What asks for one command of redis-py, by its name."""
    return lambda pipeline: getattr(pipeline, command)(*args)


def ask_all(client: redis.Redis, asks: Iterable[Ask]) -> list[Any]:
    """The answers to many commands, in their order."""
    waiting = list(asks)
    answers: list[Any] = []
    for start in range(0, len(waiting), _AT_ONCE):
        with client.pipeline(transaction=False) as pipeline:
            for ask in waiting[start : start + _AT_ONCE]:
                ask(pipeline)
            answers += pipeline.execute(raise_on_error=True)
    return answers


class Server(msgspec.Struct, frozen=True):
    """Valkey's own state."""

    name: str
    version: str
    uptime_seconds: int
    role: str
    keys: int
    memory_bytes: int
    memory_limit_bytes: int
    """0: none."""
    clients: int
    commands_per_second: int
    hits: int
    misses: int
    evictions: int
    """Keys thrown out for want of memory."""
    persistence: str
    persistence_is_well: bool

    @property
    def hit_rate(self) -> float | None:
        """The part of key look-ups that found something; None before the first."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


def server(client: redis.Redis) -> Server:
    """Valkey's own state, as its INFO says."""
    info: dict[str, Any] = client.info()
    is_valkey = "valkey_version" in info
    ways = [way for way, on in (("append-only file", info.get("aof_enabled")), ("snapshots", _saves(client))) if on]
    well = info.get("rdb_last_bgsave_status", "ok") == "ok" and info.get("aof_last_write_status", "ok") == "ok"
    return Server(
        name="Valkey" if is_valkey else "Redis",
        version=str(info["valkey_version"] if is_valkey else info.get("redis_version", "?")),
        uptime_seconds=info["uptime_in_seconds"],
        role=info["role"],
        keys=client.dbsize(),
        memory_bytes=info["used_memory"],
        memory_limit_bytes=info.get("maxmemory", 0),
        clients=info["connected_clients"],
        commands_per_second=info["instantaneous_ops_per_sec"],
        hits=info["keyspace_hits"],
        misses=info["keyspace_misses"],
        evictions=info["evicted_keys"],
        persistence=" and ".join(ways) or "none",
        persistence_is_well=well,
    )


def _saves(client: redis.Redis) -> bool:
    try:
        return bool(client.config_get("save").get("save"))
    except redis.exceptions.ResponseError:
        return False  # one may not ask, where Valkey is somebody else's


class Process(msgspec.Struct, frozen=True):
    """A server process, as it reported a few seconds ago."""

    host: str = ""
    pid: int = 0
    version: str = ""
    sockets: int = 0
    users: int = 0
    rooms: int = 0


def processes(client: redis.Redis) -> list[Process]:
    """All server processes that report to this Valkey."""
    names = list(found(client, totals.PROCESSES))
    reports = ask_all(client, (asking("hgetall", totals.PROCESSES + name) for name in names))
    said = [{field.decode(): value.decode() for field, value in report.items()} for report in reports]
    return sorted((msgspec.convert(report, Process, strict=False) for report in said if report), key=_place)


def _place(process: Process) -> tuple[str, int]:
    return process.host, process.pid


class Total(msgspec.Struct, frozen=True):
    """What was counted from a moment on, for an hour or a day."""

    since: datetime
    counts: dict[str, int]


def hours(client: redis.Redis, last: int) -> list[Total]:
    """The last so many hours, the running one at the end."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return _totals(client, [now - timedelta(hours=back) for back in reversed(range(last))], totals.hour_key)


def days(client: redis.Redis, last: int) -> list[Total]:
    """The last so many days (UTC), today at the end."""
    now = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return _totals(client, [now - timedelta(days=back) for back in reversed(range(last))], totals.day_key)


def _totals(client: redis.Redis, moments: Sequence[datetime], key: Callable[[datetime], str]) -> list[Total]:
    answers = ask_all(client, (asking("hgetall", key(moment)) for moment in moments))
    return [
        Total(moment, {field.decode(): int(count) for field, count in answer.items()})
        for moment, answer in zip(moments, answers, strict=True)
    ]
