"""Stop the clock of a module, so that no hour or day begins between two looks at it."""

from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

LAST_SECOND = datetime(2027, 2, 28, 23, 59, 59, tzinfo=UTC)
"""The last second of an hour, a day and a month."""


def stop_clock(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType, at: datetime = LAST_SECOND) -> Any:
    """Let `datetime.now()` in these modules return `at`. Setting `moment` of what is returned moves the clock."""

    class Stopped(datetime):
        moment = at

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.moment

    for module in modules:
        monkeypatch.setattr(module, "datetime", Stopped)
    return Stopped
