"""`manage.py inspect_keys`: the keys in Valkey, and what ours hold."""

import argparse
from collections.abc import Iterable
from operator import attrgetter

import msgspec
import redis

from aleatoria.catalog import key_families
from aleatoria.operators.commands import ValkeyCommand, count_of, natural, size, span
from aleatoria.operators.stats import ask_all, asking
from aleatoria.valkey.keys import literally

_SIZES = {"string": "strlen", "list": "llen", "set": "scard", "zset": "zcard", "hash": "hlen", "stream": "xlen"}
"""The command that gives the size of a key, by the key's type."""
_GLOB = frozenset("*?[")


class Key(msgspec.Struct, frozen=True):
    """A key. Its size is a number of entries, or of bytes for a string."""

    key: str
    holds: str
    """Empty when the key is not ours."""
    type: str
    size: int
    memory_bytes: int
    expires_in_seconds: float | None
    """None when it never expires."""


_ORDERS = {"key": attrgetter("key"), "size": attrgetter("size"), "memory": attrgetter("memory_bytes")}


class Command(ValkeyCommand):
    """Show keys."""

    help = "List keys in Valkey: what they hold, their type, size, memory and time to live."
    examples = (
        "inspect_keys",
        "inspect_keys attic            # keys that contain this text",
        "inspect_keys 'room:members:*' # a pattern of Valkey's SCAN",
        "inspect_keys --sort memory --limit 20",
        "inspect_keys '[draft]' --literal",
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("pattern", nargs="?", default="*", help="text in the key, or a pattern with *, ? or [")
        parser.add_argument("--literal", action="store_true", help="the text is not a pattern, even with *, ? or [")
        parser.add_argument("--sort", choices=_ORDERS, default="key", help="the order (default: %(default)s)")
        parser.add_argument("--limit", type=natural, default=1000, help="how many to show (default: %(default)s)")

    def look(
        self, client: redis.Redis, *, pattern: str, literal: bool, sort: str, limit: int, json: bool, **options: object
    ) -> None:
        found = sorted(_keys(client, _pattern(pattern, literal=literal)), key=_ORDERS[sort], reverse=sort != "key")
        if json:
            self.show_json(found[:limit])
            return
        headings = ("KEY", "HOLDS", "TYPE", "SIZE", "MEMORY", "EXPIRES IN")
        self.show_table(headings, [_row(key) for key in found[:limit]])
        more = f" The first {limit} are shown." if len(found) > limit else ""
        self.say(f"{count_of(len(found), 'key')}.{more}")


def _pattern(text: str, *, literal: bool) -> str:
    if _GLOB.intersection(text) and not literal:
        return text
    return f"*{literally(text)}*"


def _keys(client: redis.Redis, pattern: str) -> Iterable[Key]:
    found = list(set(client.scan_iter(match=pattern, count=1000)))
    types = [kind.decode() for kind in ask_all(client, (asking("type", name) for name in found))]
    # A key may expire at any moment. Valkey answers questions about a key that is gone as if it were empty.
    there = [(name, kind) for name, kind in zip(found, types, strict=True) if kind in _SIZES]
    sizes = ask_all(client, (asking(_SIZES[kind], name) for name, kind in there))
    memory = ask_all(client, (asking("memory_usage", name) for name, _ in there))
    expiry = ask_all(client, (asking("pttl", name) for name, _ in there))
    families = key_families()
    for (name, kind), count, used, left in zip(there, sizes, memory, expiry, strict=True):
        text = name.decode(errors="backslashreplace")
        holds = next((family.holds for family in families if family.covers(text)), "")
        yield Key(text, holds, kind, count, used or 0, None if left == -1 else max(left, 0) / 1000)


def _row(key: Key) -> tuple[object, ...]:
    left = "never" if key.expires_in_seconds is None else span(key.expires_in_seconds)
    return key.key, key.holds or "(not ours)", key.type, key.size, size(key.memory_bytes), left
