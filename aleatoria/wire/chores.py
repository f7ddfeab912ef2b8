"""Periodic work of a process, apart from the link to Valkey and its watchdog."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import NamedTuple

logger = logging.getLogger(__name__)

Work = Callable[[], Awaitable[None]]


class Chore(NamedTuple):
    """Work and the seconds from one end of it to its next start."""

    every: float
    work: Work


class Chores:
    """The chores of one process. Each has a task of its own, so a slow chore delays no other and no watchdog."""

    def __init__(self) -> None:
        self._chores: list[Chore] = []
        self._tasks: list[asyncio.Task[None]] = []

    def every(self, seconds: float, work: Work) -> None:
        """Do `work` every so many `seconds`, whether Valkey is there or not, from `start` on."""
        self._chores.append(Chore(seconds, work))

    def start(self) -> None:
        """Start all chores, unless they have been started."""
        if not self._tasks:
            # Contexts of their own: what a chore logs is not about the socket that happened to start it.
            self._tasks = [asyncio.create_task(_repeat(chore), context=Context()) for chore in self._chores]

    async def stop(self) -> None:
        """End all chores and return when they have ended; `start` begins anew."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(chore: Chore) -> None:
    while True:
        await asyncio.sleep(chore.every)
        try:
            await chore.work()
        except Exception:
            logger.exception("a periodic task failed")
