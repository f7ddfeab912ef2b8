"""Fixtures for tests of the subscriber."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import redis

from aleatoria.valkey import subscriber as module
from tests.support.listening import Listening, listening_to
from tests.support.processes import ValkeyProcess


@pytest_asyncio.fixture
async def listening(keys: redis.Redis, valkey_process: ValkeyProcess) -> AsyncIterator[Listening]:
    """One on the Valkey of the test run."""
    async with listening_to(valkey_process) as one:
        yield one


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ValkeyProcess]:
    """A Valkey that the test may do anything to."""
    with ValkeyProcess(tmp_path) as process:
        yield process


@pytest.fixture
def short_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """A linger that is over soon."""
    monkeypatch.setattr(module, "LINGER", 0.05)
