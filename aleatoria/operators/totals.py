"""Totals an hour and a day, of all processes, and what each process reports of itself: kept in Valkey, all expiring.

Nothing is sent when something is counted. Every few seconds each process adds what its counters have grown by.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from aleatoria.valkey import keys
from aleatoria.valkey.link import valkey
from aleatoria.valkey.pipeline import Script, Unavailable
from aleatoria.wire import clock

FLUSH_EVERY = 5.0
_HOURS = keys.own("stats:hour:", "hash", "totals of an hour (UTC)")
_DAYS = keys.own("stats:day:", "hash", "totals of a day (UTC)")
PROCESSES = keys.own("stats:process:", "hash", "what a server process reports of itself")
FAMILIES = (_HOURS, _DAYS, PROCESSES)
"""The prefixes of the keys that are kept here."""
HOURS_KEPT, DAYS_KEPT = timedelta(days=8), timedelta(days=62)
_REPORT_KEPT = timedelta(seconds=4 * FLUSH_EVERY)
_ADD = Script(Path(__file__).with_name("totals_add.lua"))
_REPORT = Script(Path(__file__).with_name("totals_report.lua"))
_PROCESS = f"{PROCESSES}{os.urandom(6).hex()}"

_counters: dict[str, Callable[[], int]] = {}
_added: dict[str, int] = {}
_facts: dict[str, Callable[[], int]] = {}


def hour_key(moment: datetime) -> str:
    """Where the totals of the hour around a moment are."""
    return f"{_HOURS}{moment:%Y%m%d%H}"


def day_key(moment: datetime) -> str:
    """Where the totals of the day around a moment are."""
    return f"{_DAYS}{moment:%Y%m%d}"


def count(field: str, read: Callable[[], int]) -> None:
    """Keep totals of what `read` gives, which only grows."""
    _counters[field] = read
    _added[field] = read()


def report(field: str, read: Callable[[], int]) -> None:
    """Let this process say what `read` gives, whenever it reports."""
    _facts[field] = read


async def flush() -> None:
    """Add what has been counted since the last time, and report; while Valkey is away, later."""
    if not valkey.health.writable:
        return
    now = datetime.now(UTC)
    grown = {field: grew for field, read in _counters.items() if (grew := read() - _added[field])}
    steps = [part for item in grown.items() for part in item]
    facts: dict[str, str | int] = {"host": socket.gethostname(), "pid": os.getpid(), "version": settings.VERSION}
    facts |= {field: read() for field, read in _facts.items()}
    said = [part for item in facts.items() for part in item]
    asked = [valkey.run(_REPORT, [_PROCESS], _REPORT_KEPT // clock.MILLISECOND, *said)]
    if steps:
        asked.append(valkey.run(_ADD, [day_key(now)], DAYS_KEPT // clock.MILLISECOND, *steps))
        asked.append(valkey.run(_ADD, [hour_key(now)], HOURS_KEPT // clock.MILLISECOND, *steps))
    # Before the answers are there: until then another flush may come.
    _note(grown)
    try:
        # Together: an answer that nobody takes would be complained about in the log.
        await asyncio.gather(*asked)
    except Unavailable:
        _note({field: -grew for field, grew in grown.items()})


def _note(grown: Mapping[str, int]) -> None:
    for field, grew in grown.items():
        _added[field] += grew


valkey.every(FLUSH_EVERY, flush)
