"""Waiting for what happens soon, and moving on the clock of the event loop."""

import asyncio
import time
from collections.abc import Callable

import pytest

PATIENCE = 5.0


async def soon(is_so: Callable[[], bool], within: float = PATIENCE) -> None:
    """Return when something is so. AssertionError when it is not within so many seconds."""
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, f"not so after {within} s"
        await asyncio.sleep(0.005)


async def turns(number: int = 20) -> None:
    """Let the event loop run everything that is due, some times over."""
    for _ in range(number):
        await asyncio.sleep(0)


class LoopClock:
    """Moves on the clock by which the running event loop sleeps and measures timeouts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        real, self._ahead = loop.time, 0.0
        monkeypatch.setattr(loop, "time", lambda: real() + self._ahead)

    async def moves_on(self, seconds: float) -> None:
        """All of a sudden it is so many seconds later; return when everything has run that is due by then."""
        self._ahead += seconds
        await turns()
