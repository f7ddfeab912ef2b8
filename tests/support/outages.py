"""The ways in which Valkey goes away and comes back, and a Valkey that tests may do this to.

A module that imports the fixtures `mortal` and `valkey_process` from here has its tabs connected to that Valkey.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from tests.support.processes import ValkeyProcess

Do = Callable[[ValkeyProcess], None]
OUTAGES = pytest.mark.parametrize(
    ("leave", "back"),
    [(ValkeyProcess.kill, ValkeyProcess.start), (ValkeyProcess.hang, ValkeyProcess.go_on)],
    ids=["killed", "hung"],
)


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ValkeyProcess]:
    """A Valkey that the test may do anything to. It keeps its data on disk."""
    with ValkeyProcess(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as process:
        yield process


@pytest.fixture
def valkey_process(mortal: ValkeyProcess) -> ValkeyProcess:
    """The Valkey that `tab` is connected to."""
    return mortal


def warnings(log: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings and errors that were logged."""
    return [record.getMessage() for record in log.records if record.levelno >= logging.WARNING]


def fill_up(client: redis.Redis) -> None:
    """Let Valkey have no memory for anything more."""
    client.config_set("maxmemory", "1")


def empty(client: redis.Redis) -> None:
    """Let it have memory again."""
    client.config_set("maxmemory", "0")
