"""`manage.py serve` watches Valkey before anybody connects, and starts its own anew when it dies."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import redis

from tests.support.processes import PATIENCE
from tests.support.serving import Serving


def wait_until(is_so: Callable[[], bool]) -> None:
    """Return when something is so. AssertionError when it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_valkey_that_is_away_is_in_the_log_before_anybody_connects(tmp_path: Path) -> None:
    with Serving(tmp_path, VALKEY_HOST="127.0.0.1") as one:
        wait_until(lambda: "Valkey/Redis connection failed" in one.logged())


def test_a_valkey_of_its_own_that_dies_is_started_anew_though_nobody_is_connected(serving: Serving) -> None:
    def answers() -> bool:
        try:
            return serving.valkey_pid != before
        except redis.exceptions.RedisError:
            return False

    before = serving.valkey_pid
    os.kill(before, signal.SIGKILL)
    wait_until(answers)
