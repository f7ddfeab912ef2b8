"""Wait until something is so, and fail when it takes too long."""

import asyncio
import time
from collections.abc import Callable

from aleatoria.valkey.health import State
from tests.support.here import link
from tests.support.processes import PATIENCE


async def soon(is_so: Callable[[], bool], within: float = PATIENCE) -> None:
    """Return when something is so; fail when it is not within so many seconds."""
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, f"not so after {within} s"
        await asyncio.sleep(0.005)


async def until(state: State, within: float) -> None:
    """Return when the node of this process sees Valkey in that state; fail after `within` seconds."""
    deadline = time.monotonic() + within
    while link().health.state is not state:
        assert time.monotonic() < deadline, f"{link().health.state} after {within} s"
        await asyncio.sleep(0.01)
