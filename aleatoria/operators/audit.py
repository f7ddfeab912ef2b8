"""Rules that must always hold for the keys in Valkey. Each app has more of them in its own audit.py."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import redis
from django.conf import settings

from aleatoria.operators.stats import ask_all, asking
from aleatoria.valkey import keys
from aleatoria.wire import clock

BROKEN = "aleatoria:broken:"
"""The prefix that a key of the wrong type is renamed with, so that its data is not lost."""
# A script, because the key may expire or be replaced by one of the right type at any moment.
_RENAME = """
if redis.call('TYPE', KEYS[1]).ok == ARGV[1] then
    redis.call('RENAME', KEYS[1], KEYS[2])
    redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
"""


class Breach(NamedTuple):
    """A rule that a key breaks."""

    key: str
    says: str
    repair: Callable[[], object] | None = None
    """Repairs it. Does nothing if it is no longer broken. None where it cannot be repaired."""


Rule = Callable[[redis.Redis], Iterator[Breach]]


def types(client: redis.Redis) -> Iterator[Breach]:
    """Every key of ours has the type of its family."""
    ours = _ours(client)
    answers = ask_all(client, (asking("type", key) for key, _ in ours))
    for (key, kind), is_type in zip(ours, answers, strict=True):
        if is_type not in (kind.type.encode(), b"none"):
            wrong = is_type.decode()
            yield Breach(key, f"is a {wrong}, not a {kind.type}", _set_aside(client, key, wrong))


def expiry(client: redis.Redis) -> Iterator[Breach]:
    """Every key of ours has an expiry."""
    ours = _ours(client)
    for (key, _), left in zip(ours, ask_all(client, (asking("pttl", key) for key, _ in ours)), strict=True):
        if left == -1:
            yield Breach(key, "never expires", _let_expire(client, key))


def _ours(client: redis.Redis) -> list[tuple[str, keys.Kind]]:
    named = (key.decode(errors="backslashreplace") for key in set(client.scan_iter(count=1000)))
    return [(key, kind) for key in sorted(named) if (kind := keys.kind_of(key)) is not None]


def _let_expire(client: redis.Redis, key: str) -> Callable[[], object]:
    return lambda: client.pexpire(key, settings.MESSAGE_TTL // clock.MILLISECOND, nx=True)


def _set_aside(client: redis.Redis, key: str, wrong: str) -> Callable[[], object]:
    ttl = str(settings.MESSAGE_TTL // clock.MILLISECOND)
    return lambda: client.eval(_RENAME, 2, key, BROKEN + key, wrong, ttl)


RULES: dict[str, Rule] = {"type": types, "expiry": expiry}
