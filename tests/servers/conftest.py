"""Real servers for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import UvicornProcess, ValkeyProcess
from tests.support.serving import Serving

LOOPS = ["uvloop", "asyncio"]
"""The event loops of uvicorn."""


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """A server with an embedded Valkey, running."""
    with Serving(tmp_path) as one:
        yield one


@pytest.fixture(scope="module", params=LOOPS)
def uvicorn(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, valkey_process: ValkeyProcess
) -> Iterator[UvicornProcess]:
    """A uvicorn for all tests of a module, which may leave no warning and no error in its log."""
    directory = tmp_path_factory.mktemp("uvicorn")
    with UvicornProcess(directory, "--loop", request.param, **valkey_process.environment) as server:
        yield server
        assert server.complaints() == []


@pytest.fixture(params=LOOPS)
def mortal_uvicorn(
    request: pytest.FixtureRequest, tmp_path: Path, valkey_process: ValkeyProcess
) -> Iterator[UvicornProcess]:
    """A uvicorn that the test may end."""
    with UvicornProcess(tmp_path, "--loop", request.param, **valkey_process.environment) as server:
        yield server
