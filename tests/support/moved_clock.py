"""A pytest plugin with which each test runs at the same moment, such as the end of a year.

`tools/clocks.py` loads it and runs pytest under libfaketime, which reads from a file how far the clock is ahead. All
processes of a test read the same file, so their clocks move together. Monotonic clocks stay as they are.
"""

import os
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aleatoria.wire import clock

FILE = "FAKETIME_TIMESTAMP_FILE"
"""The variable that tells libfaketime where to read how far the clock is ahead."""
MOMENTS = {
    "minute 42": datetime(2027, 5, 4, 12, 42, 20, tzinfo=UTC),
    "the end of an hour": datetime(2027, 5, 4, 13, tzinfo=UTC),
    "the end of a year": datetime(2028, 1, 1, tzinfo=UTC),
    "a leap day": datetime(2028, 2, 29, 12, tzinfo=UTC),
    "the end of a leap day": datetime(2028, 3, 1, tzinfo=UTC),
}
"""Each test begins a moment before one of these. A year ends with a month, a day and an hour."""
FOR_SETUP = timedelta(seconds=8)
"""How long before the moment the fixtures of a test are set up."""
LONGEST_LEAD = 0.3
"""The most seconds that a test has then until the moment. A test often takes less than a tenth of a second."""
NOT_MOVED = {"chromium", "coturn", "axe", "nodejs", "left", "lonely"}
"""Fixtures whose programs do not bear the moved clock. The last two are servers that outlive a test: for a second test
the clock goes back, and what Twisted had planned happens late."""


def ahead(file: Path) -> float:
    """Return by how many seconds the clock of the processes that read this file is ahead."""
    return float(file.read_text())


def set_ahead(file: Path, seconds: float) -> None:
    """Let the clock be so many seconds ahead. No process reads half of the number."""
    new = file.with_suffix(".new")
    new.write_text(f"{seconds:+.6f}\n")
    new.replace(file)


def move(to: datetime) -> None:
    """Set the clock of all processes of this run."""
    file = Path(os.environ[FILE])
    set_ahead(file, ahead(file) + to.timestamp() - time.time())


class Mover:
    """Sets the clock before each test."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """Go back to some seconds before the moment."""
        move(self._moment - FOR_SETUP)
        clock._last = 0  # or no message would have an earlier time than those of the test before

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self) -> None:
        """Go on to just before the moment."""
        begin = self._moment - timedelta(seconds=random.uniform(0, LONGEST_LEAD))
        if datetime.now(UTC) < begin:
            move(begin)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--clock", choices=MOMENTS, required=True)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Mover(MOMENTS[config.getoption("--clock")]))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if NOT_MOVED.intersection(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
