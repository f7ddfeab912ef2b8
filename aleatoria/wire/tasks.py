"""Tasks that belong to somebody, and end with them at the latest."""

import asyncio
import logging
from collections.abc import Awaitable

logger = logging.getLogger(__name__)


class Tasks:
    """What one socket does beside its frames."""

    __slots__ = ("_running",)

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Awaitable[None]) -> "asyncio.Task[None]":
        """Do `work` in a task. An exception in it is logged."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def within(self, seconds: float, work: Awaitable[None]) -> None:
        """Wait for `work`, but no longer than so many seconds; then it goes on in its task."""
        await asyncio.wait([self.spawn(work)], timeout=seconds)

    def cancel_all(self) -> None:
        """End what is still running."""
        for task in list(self._running):
            task.cancel()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a task of a socket failed", exc_info=task.exception())
