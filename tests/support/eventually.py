"""Waiting for what happens by itself, such as the work of a chore."""

import asyncio
import time
from collections.abc import Callable

from tests.support.tab import PATIENCE


async def eventually(holds: Callable[[], object], within: float = PATIENCE) -> None:
    """Return when `holds` returns something true; fails when that takes longer than `within` seconds."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not within {within} s"
        await asyncio.sleep(0.02)
