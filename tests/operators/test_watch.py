"""`watch`: the numbers of the whole chat, for people and for programs."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import redis

from aleatoria.management.commands.watch import _scenes
from aleatoria.operators import stats, totals
from tests.conftest import MakeServer, MakeTab
from tests.support.calls import meet
from tests.support.commands import Manage, seconds_since
from tests.support.here import here
from tests.support.processes import PATIENCE, ValkeyProcess
from tests.support.repository import ROOT
from tests.support.stopped_clock import stop_clock
from tests.support.wire import Wire


async def test_a_scene_has_all_numbers(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="cellar") as bob, tab("cat", room="attic") as cat:
        await meet(ana, bob)
        await cat.asks("request_random_peer", "no_peer_available")
        await here().totals.flush()
        scene = await manage.json("watch", "--once")
        numbers = ("sockets", "users", "rooms", "waiting", "calls", "messages_per_second")
        assert [scene[name] for name in numbers] == [3, 3, 2, 1, 1, None]
        assert 0 <= seconds_since(scene["at"]) < 60
        (process,) = scene["processes"]
        assert (process["pid"], process["sockets"], process["users"], process["rooms"]) == (os.getpid(), 3, 3, 2)
        assert scene["valkey"]["name"] == "Valkey"
        assert scene["valkey"]["role"] == "master"
        assert scene["valkey"]["keys"] > 0
        lines = (await manage("watch", "--once")).lines
        assert lines[0].startswith("Aleatoria, 20")
        for line in (
            "sockets 3",
            "users online 3",
            "rooms 2",
            "messages a second …",
            "waiting for a call 1",
            "calls 1",
        ):
            assert line in lines
        assert lines[-2] == "SERVER ON PID VERSION SOCKETS USERS ROOMS"


async def test_where_nothing_goes_on_a_scene_is_of_zeros(manage: Manage) -> None:
    scene = await manage.json("watch", "--once")
    assert [scene[name] for name in ("sockets", "users", "rooms", "waiting", "calls")] == [0] * 5
    assert scene["processes"] == []
    assert (await manage("watch", "--once")).lines[-1] == "No server process reports."


async def test_servers_report(server: MakeServer, manage: Manage) -> None:
    with server("one") as one, server("two") as two:
        async with Wire(one.url, "ana", room="attic"), Wire(two.url, "bob", room="attic"):
            deadline = time.monotonic() + PATIENCE
            while (scene := await manage.json("watch", "--once"))["sockets"] < 2:
                assert time.monotonic() < deadline
            assert {process["pid"] for process in scene["processes"]} == {one.pid, two.pid}
            assert (scene["users"], scene["rooms"]) == (2, 1)


def test_a_watch_may_be_read_in_part(manage: Manage) -> None:
    ran = manage.shell("manage watch --json --every 0.2 | head -1")
    assert (ran.status, ran.err) == (0, "")
    assert ran.json["rooms"] == 0


def test_a_watch_that_is_no_terminal_prints_scene_after_scene(manage: Manage) -> None:
    ran = manage.shell("manage watch --every 0.2 | grep --max-count 3 Aleatoria")
    assert (ran.status, ran.err) == (0, "")
    assert len(ran.lines) == 3


@pytest.fixture
def watching(manage: Manage) -> Iterator["subprocess.Popen[str]"]:
    """A running `watch --json`."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "watch", "--json", "--every", "0.2"],
        cwd=ROOT, env=manage.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield process
        process.kill()


def scenes(process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    """Yield the scenes that it prints."""
    assert process.stdout is not None
    return map(json.loads, process.stdout)


def test_a_watch_tells_messages_a_second(keys: redis.Redis, watching: "subprocess.Popen[str]") -> None:
    first, second = islice(scenes(watching), 2)
    assert (first["messages_per_second"], second["messages_per_second"]) == (None, 0)
    key = totals.day_key(datetime.now(UTC))
    keys.hset(key, mapping={"messages": 60, "direct messages": 40})
    keys.expire(key, 60)
    rates = [scene["messages_per_second"] for scene in islice(scenes(watching), 5)]
    assert sum(rate > 0 for rate in rates) == 1
    assert max(rates) < 100 / 0.2


def test_messages_a_second_go_on_over_midnight(keys: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = stop_clock(monkeypatch, stats)
    midnight = clock.moment + timedelta(seconds=1)
    for back, messages in enumerate((0, 500, 1000)):
        key = totals.day_key(midnight - timedelta(days=back))
        keys.hset(key, "messages", messages)
        keys.expire(key, 60)
    seen = _scenes(keys, 0.2)
    next(seen)
    clock.moment = midnight + timedelta(seconds=1)
    keys.hincrby(totals.day_key(midnight), "messages", 1)
    rate = next(seen).messages_per_second
    assert rate is not None
    assert 0 < rate <= 5


def test_ctrl_c_ends_a_watch_quietly(watching: "subprocess.Popen[str]") -> None:
    next(scenes(watching))
    watching.send_signal(signal.SIGINT)
    _, errors = watching.communicate(timeout=PATIENCE)
    assert (watching.returncode, errors) == (0, "")


def test_when_valkey_goes_away_a_watch_ends_and_says_so(tmp_path: Path) -> None:
    with ValkeyProcess(tmp_path) as mortal:
        with subprocess.Popen(
            [sys.executable, "manage.py", "watch", "--json", "--every", "0.2"],
            cwd=ROOT, env=Manage(mortal.address, tmp_path).environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            next(scenes(process))
            mortal.kill()
            _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 2
        (said,) = errors.splitlines()
        assert said.startswith(f"CommandError: Valkey/Redis at {mortal.address} ")


def test_on_a_terminal_it_is_watched_until_ctrl_c(manage: Manage) -> None:
    ours, its = pty.openpty()
    command = [sys.executable, "manage.py", "watch", "--every", "0.2"]
    environment = manage.environment | {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        shown = b""
        while shown.count(b"Aleatoria, 20") < 3:
            shown += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        try:
            while more := os.read(ours, 65536):
                shown += more
        except OSError:
            pass  # so it ends, on Linux
        assert process.wait(PATIENCE) == 0
    os.close(ours)
    assert b"messages a second" in shown
    assert b"Traceback" not in shown
