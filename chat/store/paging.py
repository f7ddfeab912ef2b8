"""Pages of a history that is written to while it is read: each message once, even where times are equal."""

from hashlib import blake2b
from itertools import accumulate
from typing import NamedTuple

PAGE_BYTES = 256 * 1024
"""A page ends early rather than exceed this: a slow reader is cut off by the bytes that wait for him."""


class Entry(NamedTuple):
    """A kept line and its moment, in whatever form its store orders by."""

    line: bytes
    moment: str


class Position(NamedTuple):
    """Where a reader is: past everything before a moment and, among what shares that moment, past one line.

    Without a line, past all of the moment.
    """

    moment: str
    line: str = ""


class Page(NamedTuple):
    """Lines in reading order, the position behind them, and whether there is more."""

    lines: list[bytes]
    end: Position | None = None
    more: bool = False


def page_of(ties: list[Entry], rest: list[Entry], behind: Position | None, limit: int, *, newer: bool) -> Page:
    """The page behind a position: `ties` are the entries of its moment, `rest` those beyond, both in reading order."""
    entries = _past(ties, behind, newer=newer) + rest
    sizes = accumulate(len(entry.line) for entry in entries[:limit])
    fitting = sum(size <= PAGE_BYTES for size in sizes)
    shown = entries[: max(fitting, 1)]
    end = Position(shown[-1].moment, _digest(shown[-1].line)) if shown else behind
    return Page([entry.line for entry in shown], end, len(entries) > len(shown))


def _past(ties: list[Entry], position: Position | None, *, newer: bool) -> list[Entry]:
    if position is None or not position.line:
        return []
    for index, entry in enumerate(ties):
        if _digest(entry.line) == position.line:
            return ties[index + 1 :]
    # The line was one too many, and with it all that is older.
    return ties if newer else []


def _digest(line: bytes) -> str:
    return blake2b(line, digest_size=8).hexdigest()
