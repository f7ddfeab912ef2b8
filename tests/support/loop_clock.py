"""Move on the clock of the event loop, so that nobody has to wait for what happens later."""

import asyncio

import pytest


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
        """Make it so many seconds later at once; return when everything that is due by then has run."""
        self._ahead += seconds
        await turns()
