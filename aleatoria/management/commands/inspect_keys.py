"""`manage.py inspect_keys`: the keys in Valkey, ours explained."""

import argparse
from collections.abc import Iterable
from operator import attrgetter

import msgspec
import redis

import chat.stats  # noqa: F401 # with what it imports it registers chat's keys
import matchmaking.stats  # noqa: F401 # likewise
from aleatoria.operators.commands import ValkeyCommand, natural, size, span
from aleatoria.operators.stats import ask_all, asking
from aleatoria.valkey.keys import kind_of, literally

_SIZES = {"string": "strlen", "list": "llen", "set": "scard", "zset": "zcard", "hash": "hlen", "stream": "xlen"}
_GLOB = frozenset("*?[")


class Key(msgspec.Struct, frozen=True):
    """A key; its size is in entries, or in bytes for a string."""

    key: str
    holds: str
    """Empty when it is not ours."""
    type: str
    size: int
    memory_bytes: int
    expires_in_seconds: float | None
    """None: never."""


_ORDERS = {"key": attrgetter("key"), "size": attrgetter("size"), "memory": attrgetter("memory_bytes")}


class Command(ValkeyCommand):
    """Show keys."""

    help = "List keys in Valkey: what they hold, their type, size, memory and time to live."
    examples = (
        "inspect_keys",
        "inspect_keys attic            # all whose names contain it",
        "inspect_keys 'room:members:*' # a pattern as Valkey's SCAN takes it",
        "inspect_keys --sort memory --limit 20",
        "inspect_keys '[draft]' --literal",
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("pattern", nargs="?", default="*", help="text in the key, or a pattern with *, ? or [")
        parser.add_argument("--literal", action="store_true", help="take *, ? and [ in it as they are")
        parser.add_argument("--sort", choices=_ORDERS, default="key", help="by what to sort (default: %(default)s)")
        parser.add_argument("--limit", type=natural, default=1000, help="keys to show (default: %(default)s)")

    def look(
        self, client: redis.Redis, *, pattern: str, literal: bool, sort: str, limit: int, json: bool, **options: object
    ) -> None:
        keys = sorted(_keys(client, _pattern(pattern, literal=literal)), key=_ORDERS[sort], reverse=sort != "key")
        if json:
            self.show_json(keys[:limit])
            return
        headings = ("KEY", "HOLDS", "TYPE", "SIZE", "MEMORY", "EXPIRES IN")
        self.show_table(headings, [_row(key) for key in keys[:limit]])
        more = f", of which the first {limit} are shown" if len(keys) > limit else ""
        self.say(f"{len(keys)} keys{more}.")


def _pattern(text: str, *, literal: bool) -> str:
    if _GLOB.intersection(text) and not literal:
        return text
    return f"*{literally(text)}*"


def _keys(client: redis.Redis, pattern: str) -> Iterable[Key]:
    names = list(set(client.scan_iter(match=pattern, count=1000)))
    types = [kind.decode() for kind in ask_all(client, (asking("type", name) for name in names))]
    # A key may go at any moment: what is asked of one that has gone is answered like of an empty one.
    there = [(name, kind) for name, kind in zip(names, types, strict=True) if kind in _SIZES]
    sizes = ask_all(client, (asking(_SIZES[kind], name) for name, kind in there))
    memory = ask_all(client, (asking("memory_usage", name) for name, _ in there))
    expiry = ask_all(client, (asking("pttl", name) for name, _ in there))
    for (name, kind), count, used, left in zip(there, sizes, memory, expiry, strict=True):
        text = name.decode(errors="backslashreplace")
        ours = kind_of(text)
        yield Key(text, ours.holds if ours else "", kind, count, used or 0, None if left == -1 else max(left, 0) / 1000)


def _row(key: Key) -> tuple[object, ...]:
    left = "never" if key.expires_in_seconds is None else span(key.expires_in_seconds)
    return key.key, key.holds or "(not ours)", key.type, key.size, size(key.memory_bytes), left
