"""Blocking, read-only queries of Valkey for the admin and the commands. The live path never uses them.

They use `SCAN`, never `KEYS`, and send many small commands in one pipeline, so that no command blocks Valkey for long.
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
"""Seconds to wait for an answer of Valkey."""
_AT_ONCE = 1000
"""Commands in one pipeline, and the COUNT of a SCAN."""

Ask = Callable[[Any], object]
"""A function that adds one command to a pipeline."""
_WRITES = ("rdb_last_bgsave_status", "aof_last_write_status")
"""Fields of INFO that tell whether the last write to disk succeeded."""


class Away(Exception):
    """Valkey cannot be queried. The text names its address and the reason."""


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
    """Yield the rest of the name of each key that starts with `prefix`: each once, in no particular order."""
    seen = set()
    for key in client.scan_iter(match=f"{keys.literally(prefix)}*", count=_AT_ONCE):
        if key not in seen:
            seen.add(key)
            yield key.decode(errors="backslashreplace").removeprefix(prefix)


def asking(command: str, *args: object) -> Ask:
    """Return a function that adds redis-py's method `command` with these arguments to a pipeline."""
    return lambda pipeline: getattr(pipeline, command)(*args)


def ask_all(client: redis.Redis, asks: Iterable[Ask]) -> list[Any]:
    """Send many commands in pipelines. Returns their answers in the same order."""
    waiting = list(asks)
    answers: list[Any] = []
    for start in range(0, len(waiting), _AT_ONCE):
        with client.pipeline(transaction=False) as pipeline:
            for ask in waiting[start : start + _AT_ONCE]:
                ask(pipeline)
            answers += pipeline.execute(raise_on_error=True)
    return answers


class ValkeyInfo(msgspec.Struct, frozen=True):
    """The state of the Valkey server."""

    name: str
    version: str
    uptime_seconds: int
    role: str
    keys: int
    memory_bytes: int
    memory_limit_bytes: int
    """0 means that there is no limit."""
    clients: int
    commands_per_second: int
    hits: int
    misses: int
    evictions: int
    """Keys that Valkey removed because its memory was full."""
    persistence: str
    persistence_is_well: bool

    @property
    def hit_rate(self) -> float | None:
        """The share of key lookups that found a key, from 0 to 1. None before the first lookup."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


def valkey_info(client: redis.Redis) -> ValkeyInfo:
    """Return the state of the Valkey server, read from INFO."""
    info: dict[str, Any] = client.info()
    is_valkey = "valkey_version" in info
    return ValkeyInfo(
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
        persistence=_persistence(client, info),
        persistence_is_well=all(info.get(status, "ok") == "ok" for status in _WRITES),
    )


def _persistence(client: redis.Redis, info: dict[str, Any]) -> str:
    kinds = (("append-only file", info.get("aof_enabled")), ("snapshots", _saves(client)))
    return " and ".join(kind for kind, on in kinds if on) or "none"


def _saves(client: redis.Redis) -> bool:
    try:
        return bool(client.config_get("save").get("save"))
    except redis.exceptions.ResponseError:
        return False  # a managed Valkey may not allow CONFIG


class Process(msgspec.Struct, frozen=True):
    """A server process, as in its last report, which is a few seconds old."""

    host: str = ""
    pid: int = 0
    version: str = ""
    sockets: int = 0
    users: int = 0
    rooms: int = 0


def processes(client: redis.Redis) -> list[Process]:
    """Return all server processes that report to this Valkey, by host and process id."""
    answers = ask_all(client, (asking("hgetall", totals.PROCESSES + name) for name in found(client, totals.PROCESSES)))
    reports = [{field.decode(): value.decode() for field, value in answer.items()} for answer in answers]
    return sorted((msgspec.convert(report, Process, strict=False) for report in reports if report), key=_place)


def _place(process: Process) -> tuple[str, int]:
    return process.host, process.pid


class Total(msgspec.Struct, frozen=True):
    """Everything that was counted in one hour or one day."""

    since: datetime
    """When the hour or the day began, in UTC."""
    counts: dict[str, int]
    """What was counted, by field. A field that is missing counts 0."""

    def count(self, *fields: str) -> int:
        """Return the sum of these fields."""
        return sum(self.counts.get(field, 0) for field in fields)


def hours(client: redis.Redis, last: int) -> list[Total]:
    """Return the totals of the last `last` hours (UTC), oldest first. The last one is the current hour."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return _totals(client, [now - timedelta(hours=back) for back in reversed(range(last))], totals.hour_key)


def days(client: redis.Redis, last: int) -> list[Total]:
    """Return the totals of the last `last` days (UTC), oldest first. The last one is today."""
    now = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return _totals(client, [now - timedelta(days=back) for back in reversed(range(last))], totals.day_key)


def _totals(client: redis.Redis, moments: Sequence[datetime], key: Callable[[datetime], str]) -> list[Total]:
    answers = ask_all(client, (asking("hgetall", key(moment)) for moment in moments))
    return [
        Total(moment, {field.decode(): int(count) for field, count in answer.items()})
        for moment, answer in zip(moments, answers, strict=True)
    ]
