"""Pages of a history that is written to while it is read. A reader gets each message once, even of equal times."""

from hashlib import blake2b
from itertools import accumulate
from typing import NamedTuple

PAGE_BYTES = 256 * 1024
"""A page ends early rather than exceed this size. A slow client is cut off by the number of bytes that wait for it."""


class Entry(NamedTuple):
    """A kept line and its moment, written as its store sorts: a score or a createTime."""

    line: bytes
    moment: str


class Position(NamedTuple):
    """How far a reader has come: everything before a moment and, of the lines of that moment, all up to one line.

    Without a line, the reader has read all lines of the moment.
    """

    moment: str
    line: str = ""


class Page(NamedTuple):
    """Lines in the order in which they are read, the position behind them, and whether more follow."""

    lines: list[bytes]
    end: Position | None = None
    more: bool = False


def page_of(ties: list[Entry], rest: list[Entry], behind: Position | None, limit: int, *, newer: bool) -> Page:
    """The page behind a position, of the entries of its moment (`ties`) and those beyond (`rest`) in reading order."""
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
    # The line has been dropped because the history was too long, and all older lines with it.
    return ties if newer else []


def _digest(line: bytes) -> str:
    return blake2b(line, digest_size=8).hexdigest()
