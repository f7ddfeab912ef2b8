"""Wait until something is so, and fail when it takes too long."""

import asyncio
import time
from collections.abc import Callable

from aleatoria.valkey.health import State
from tests.support.here import link
from tests.support.processes import PATIENCE


async def becomes_true(condition: Callable[[], bool]) -> None:
    """Return when the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def until(state: State, within: float) -> None:
    """Return when the node of this process sees Valkey in that state; fail after `within` seconds."""
    deadline = time.monotonic() + within
    while link().health.state is not state:
        assert time.monotonic() < deadline, f"{link().health.state} after {within} s"
        await asyncio.sleep(0.01)
