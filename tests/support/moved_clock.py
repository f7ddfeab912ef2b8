"""A pytest plugin with which each test runs at a moment of a certain kind, such as the end of a month.

`tools/clocks.py` loads it and runs pytest under libfaketime, which reads from a file how far the clock is ahead. All
processes of a test read the same file, so their clocks move together, and only forward. Monotonic clocks stay as they
are. A test begins shortly before the moment, so that an hour, a day or a month ends while it runs.
"""

import os
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

FILE = "FAKETIME_TIMESTAMP_FILE"
"""The variable that tells libfaketime where to read how far the clock is ahead."""
FOR_SETUP = timedelta(seconds=8)
"""How long before the end of an hour, a day or a month the fixtures of a test are set up."""
LONGEST_LEAD = 0.3
"""The most seconds that a test has then until the end. A test often takes less than a tenth of a second."""
NOT_MOVED = {"chromium", "coturn", "axe", "nodejs"}
"""Fixtures whose programs do not see the moved clock, or do not bear it."""


def hour_end(now: datetime) -> datetime:
    """Return when the hour ends."""
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def day_end(now: datetime) -> datetime:
    """Return when the day ends."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def month_end(now: datetime) -> datetime:
    """Return when the month ends."""
    return day_end(now.replace(day=1) + timedelta(days=31)).replace(day=1)


ENDS: dict[str, Callable[[datetime], datetime]] = {
    "the end of an hour": hour_end,
    "the end of a day": day_end,
    "the end of a month": month_end,
}
"""Each test begins before another end of this kind."""
STARTS = {
    "minute 42": datetime(2027, 5, 4, 12, 42, tzinfo=UTC),
    "a leap day": datetime(2028, 2, 29, 12, tzinfo=UTC),
    "the end of an hour": datetime(2027, 12, 30, tzinfo=UTC),
    "the end of a day": datetime(2028, 2, 20, tzinfo=UTC),
    "the end of a month": datetime(2027, 10, 20, tzinfo=UTC),
}
"""Where the clock of a run begins, by the kind of moment."""


def ahead(file: Path) -> float:
    """Return by how many seconds the clock of the processes that read this file is ahead."""
    return float(file.read_text())


def set_ahead(file: Path, seconds: float) -> None:
    """Let it be so many seconds ahead. No process reads half of the number."""
    new = file.with_suffix(".new")
    new.write_text(f"{seconds:+.6f}\n")
    new.replace(file)


def move(to: datetime) -> None:
    """Set the clock of all processes of this run to a moment."""
    file = Path(os.environ[FILE])
    set_ahead(file, ahead(file) + to.timestamp() - time.time())


class Mover:
    """Moves the clock before each test."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._end = STARTS[kind]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """Begin a while before the next end, or in the next minute 42."""
        now = datetime.now(UTC)
        if self._kind in ENDS:
            self._end = ENDS[self._kind](now + FOR_SETUP)
            move(self._end - FOR_SETUP)
        elif self._kind == "minute 42" and not (now.minute == 42 and now.second < 50):
            move(hour_end(now) + timedelta(minutes=42))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self) -> None:
        """Go on to just before the end."""
        begin = self._end - timedelta(seconds=random.uniform(0, LONGEST_LEAD))
        if self._kind in ENDS and datetime.now(UTC) < begin:
            move(begin)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--clock", choices=STARTS, required=True)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Mover(config.getoption("--clock")))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if NOT_MOVED.intersection(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
