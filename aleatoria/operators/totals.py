"""Totals an hour and a day, of all processes, and each process's report of itself: kept in Valkey, all expiring.

Nothing is sent when something is counted. Every few seconds each process adds what its counters have grown by.
"""

import asyncio
import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from aleatoria.telemetry import metrics
from aleatoria.valkey import keys
from aleatoria.valkey.link import Link
from aleatoria.valkey.pipeline import Unavailable
from aleatoria.valkey.script import Script
from aleatoria.wire import clock

FLUSH_EVERY = 5.0
"""Seconds between two flushes."""
_HOURS = keys.own("stats:hour:", "hash", "totals of an hour (UTC)")
_DAYS = keys.own("stats:day:", "hash", "totals of a day (UTC)")
PROCESSES = keys.own("stats:process:", "hash", "what a server process reports of itself")
FAMILIES = (_HOURS, _DAYS, PROCESSES)
"""The prefixes of the keys that are kept here."""
HOURS_KEPT, DAYS_KEPT = timedelta(days=8), timedelta(days=62)
_REPORT_KEPT = timedelta(seconds=4 * FLUSH_EVERY)
_ADD = Script(Path(__file__).with_name("totals_add.lua"))
_REPORT = Script(Path(__file__).with_name("totals_report.lua"))


def hour_key(moment: datetime) -> str:
    """The key of the totals of the hour around a moment."""
    return f"{_HOURS}{moment:%Y%m%d%H}"


def day_key(moment: datetime) -> str:
    """The key of the totals of the day around a moment."""
    return f"{_DAYS}{moment:%Y%m%d}"


class Totals:
    """What one process adds to the totals, from when this is made."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._process = f"{PROCESSES}{os.urandom(6).hex()}"
        self._added = metrics.totals()

    async def flush(self) -> None:
        """Add what has been counted since the last flush, and report. While Valkey is away it is added later."""
        if not self._link.health.writable:
            return
        now = datetime.now(UTC)
        grown = self._grown()
        steps = [part for item in grown.items() for part in item]
        asked = [self._link.run(_REPORT, [self._process], _REPORT_KEPT // clock.MILLISECOND, *_report())]
        if steps:
            asked.append(self._link.run(_ADD, [day_key(now)], DAYS_KEPT // clock.MILLISECOND, *steps))
            asked.append(self._link.run(_ADD, [hour_key(now)], HOURS_KEPT // clock.MILLISECOND, *steps))
        # Noted before the answers arrive: another flush may start until then.
        self._note(grown)
        try:
            # Gathered, so that no answer is left that nobody awaits: asyncio would log it.
            await asyncio.gather(*asked)
        except Unavailable:
            self._note({total: -grew for total, grew in grown.items()})

    def _grown(self) -> dict[str, int]:
        """By how much each total has grown since it was added last; those that have not are left out."""
        counted = metrics.totals()
        return {total: grew for total, count in counted.items() if (grew := count - self._added.get(total, 0))}

    def _note(self, grown: Mapping[str, int]) -> None:
        for total, grew in grown.items():
            self._added[total] = self._added.get(total, 0) + grew


def _report() -> list[str | int]:
    """The fields of this process's report, each followed by its value."""
    said: dict[str, str | int] = {"host": socket.gethostname(), "pid": os.getpid(), "version": settings.VERSION}
    return [part for item in (said | metrics.facts()).items() for part in item]
