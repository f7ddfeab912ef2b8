"""`manage.py serve` as an operator meets it: what it says, how it ends, and what a crash leaves behind."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from aleatoria.valkey import embedded
from aleatoria.valkey.address import embedded_address
from aleatoria.valkey.embedded import EmbeddedValkey, EmbeddedValkeyError
from benchmarks.processes import wait_for_listener
from tests.support.processes import PATIENCE, ValkeyProcess, free_port
from tests.support.repository import ROOT
from tests.support.serving import Serving
from tests.support.tab import Closed
from tests.support.wire import Wire

RESTART = 1012
POLL = 0.02


def ended(pid: int) -> bool:
    """Whether a process is gone, or dead and only waits to be noticed by its parent."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return not shown.strip() or shown.startswith("Z")


def end(pid: int) -> None:
    """kill -9, and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while not ended(pid):
        assert time.monotonic() < deadline
        time.sleep(POLL)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """One with a Valkey of its own, running."""
    with Serving(tmp_path) as one:
        yield one


# Which Valkey


def test_it_says_where_it_listens_last_and_that_the_valkey_is_its_own(serving: Serving) -> None:
    assert serving.said == [
        f"Valkey: its own, at {embedded_address(serving.data / 'valkey').unix_socket}.",
        f"Listening on http://127.0.0.1:{serving.port}/ (sockets: /ws). Ctrl-C stops it.",
    ]
    assert serving.stop_and_listen() == (0, "")


def test_it_takes_the_valkey_that_is_configured(tmp_path: Path, valkey_process: ValkeyProcess) -> None:
    port = str(valkey_process.address.port)
    with Serving(tmp_path, VALKEY_HOST="127.0.0.1", VALKEY_PORT=port) as one:
        assert one.said[0] == f"Valkey: 127.0.0.1:{port}, as VALKEY_HOST says."
        assert not (one.data / "valkey").exists()


def test_it_takes_the_valkey_that_is_configured_even_if_that_is_away(tmp_path: Path) -> None:
    with Serving(tmp_path, VALKEY_HOST="127.0.0.1") as one:
        assert one.said[0].endswith("as VALKEY_HOST says.")
        assert not (one.data / "valkey").exists()


def test_it_takes_the_valkey_that_answers_on_this_machine(tmp_path: Path, valkey_process: ValkeyProcess) -> None:
    port = str(valkey_process.address.port)
    with Serving(tmp_path, VALKEY_PORT=port) as one:
        assert one.said[0] == f"Valkey: localhost:{port}, which is running on this machine."
        assert not (one.data / "valkey").exists()


async def test_it_goes_on_without_any_when_it_may_not_have_its_own(tmp_path: Path) -> None:
    with Serving(tmp_path, EMBEDDED_VALKEY="off") as one:
        assert "EMBEDDED_VALKEY is off" in one.said[0]
        assert "without" in one.said[0]
        async with Wire(one.url, "ana", room="attic") as ana, Wire(one.url, "bob", room="attic") as bob:
            await ana.says("hello")
            assert await bob.hears_said() == "hello"
        assert one.stop() == 0


# Two people


@pytest.mark.parametrize("path", ["/ws", "/ws/chat"])
async def test_two_people_talk(serving: Serving, path: str) -> None:
    async with Wire(serving.url, "ana", path=path, room="attic") as ana:
        await ana.writes("bob", "while you were out")
        await ana.hears("chat_message")
        async with Wire(serving.url, "bob", path=path) as bob:
            await bob.asks("join_room", "room_joined", room="attic")
            await ana.says("hello")
            assert [await one.hears_said() for one in (ana, bob)] == ["hello", "hello"]
            letters = await bob.asks("get_direct_messages", "direct_messages", payload={"withUser": "ana"})
            assert [message["payload"]["content"] for message in letters["messages"]] == ["while you were out"]
            await bob.asks("leave_room", "room_left", room="attic")
            await ana.says("gone?")
            await ana.hears("chat_message")
            await bob.hears_nothing()


# The end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_goodbye_and_keeps_what_was_said(serving: Serving, number: signal.Signals) -> None:
    valkey_pid = serving.valkey_pid
    async with Wire(serving.url, "ana", room="attic") as ana, Wire(serving.url, "bob", room="attic") as bob:
        for count in range(50):
            await ana.says(str(count))
        assert await _contents(bob, 50) == [str(count) for count in range(50)]
        for count in range(50, 150):
            await ana.says(str(count))  # still on the way when the server is told to stop
        os.kill(serving.pid, number)
        heard = [await _contents_up_to_close(tab) for tab in (ana, bob)]
    assert serving.stop_and_listen() == (0, "")
    assert ended(valkey_pid)
    assert [line for line in serving.logged().splitlines() if " INFO: " not in line] == []
    serving.start()
    async with Wire(serving.url, "ana") as ana:
        answer = await ana.asks("get_recent_messages", "recent_messages", room="attic", payload={"limit": 200})
    kept = [message["payload"]["content"] for message in reversed(answer["messages"])]
    assert kept[:50] == [str(count) for count in range(50)]
    assert heard == [kept, kept[50:]]


async def _contents(tab: Wire, count: int) -> list[str]:
    return [await tab.hears_said() for _ in range(count)]


async def _contents_up_to_close(tab: Wire) -> list[str]:
    contents: list[str] = []
    while True:
        try:
            contents.append(await tab.hears_said())
        except Closed as closed:
            assert closed.code == RESTART  # noqa: PT017 # what came before it is wanted
            return contents


async def test_one_who_does_not_answer_does_not_hold_up_the_end(serving: Serving) -> None:
    async with Wire(serving.url, "ana") as ana:
        ana.connection.transport.pause_reading()
        began = time.monotonic()
        assert serving.stop() == 0
        assert time.monotonic() - began < 5
        ana.drops()


def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environment = Serving(tmp_path, EMBEDDED_VALKEY="off").environment
        ran = subprocess.run(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    assert ran.returncode != 0
    (said,) = ran.stderr.splitlines()
    assert f"127.0.0.1:{port}" in said
    assert "Address already in use" in said
    assert "--port" in said
    assert "Listening" not in ran.stdout


def test_a_taken_port_leaves_no_valkey_behind(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        one = Serving(tmp_path)
        one.port = taken.getsockname()[1]
        with pytest.raises(RuntimeError, match="already in use"):
            one.start()
        assert one._end(signal.SIGTERM) != 0
    with pytest.raises(redis.exceptions.ConnectionError):
        one.valkey.ping()


# Crashes


async def _talk_a_little(one: Serving) -> None:
    async with Wire(one.url, "ana", room="attic") as ana:
        await ana.says("remember me")
        await ana.hears("chat_message")
        # Answered only when what came before has reached Valkey.
        await ana.asks("get_recent_messages", "recent_messages", room="attic")


async def _is_as_before(one: Serving) -> None:
    async with Wire(one.url, "ana") as ana:
        assert await ana.asks("get_rooms", "rooms_list") == {"rooms": ["attic"]}
        history = await ana.asks("get_recent_messages", "recent_messages", room="attic")
        assert [message["payload"]["content"] for message in history["messages"]] == ["remember me"]


async def test_after_a_crash_all_is_there_with_the_valkey_that_was_left_running(serving: Serving) -> None:
    await _talk_a_little(serving)
    left = serving.valkey_pid
    serving.kill()
    serving.start()
    assert serving.valkey_pid == left
    await _is_as_before(serving)
    assert serving.stop() == 0
    assert ended(left)


async def test_after_a_crash_all_is_there_though_the_valkey_that_was_left_hangs(serving: Serving) -> None:
    await _talk_a_little(serving)
    left = serving.valkey_pid
    serving.kill()
    os.kill(left, signal.SIGSTOP)
    began = time.monotonic()
    serving.start()
    assert time.monotonic() - began < 8
    assert ended(left)
    await _is_as_before(serving)


async def test_after_a_crash_of_both_all_is_there(serving: Serving) -> None:
    await _talk_a_little(serving)
    left = serving.valkey_pid
    serving.kill()
    end(left)
    serving.start()
    await _is_as_before(serving)


# One DATA_DIR


async def test_a_second_server_with_the_same_data_shares_the_valkey(serving: Serving, tmp_path: Path) -> None:
    with Serving(tmp_path / "second", DATA_DIR=str(serving.data)) as second:
        assert second.said[0].startswith("Valkey: the one of another server with this DATA_DIR, at ")
        async with Wire(serving.url, "ana", room="attic") as ana, Wire(second.url, "bob", room="attic") as bob:
            await ana.says("hello over there")
            assert await bob.hears_said() == "hello over there"
        assert second.stop() == 0
    assert serving.valkey.ping()


def test_a_second_server_waits_for_the_first_to_start_the_valkey(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "START_DEADLINE", 0.2)
    with (tmp_path / "owner.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(EmbeddedValkeyError, match="not ready"), EmbeddedValkey(tmp_path):
            pass
    assert not (tmp_path / "valkey.log").exists()  # two on the same files would spoil them


async def test_two_servers_started_at_once_share_one_valkey(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    several = [Serving(tmp_path / name, DATA_DIR=data) for name in ("one", "two", "three")]
    for one in several:
        one._process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", "0"],
            cwd=ROOT, env=one.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
    try:
        for one in several:
            one.port = one._wait_for_port()
        assert sorted(one.said[0].split(",")[0] for one in several) == [
            "Valkey: its own", *["Valkey: the one of another server with this DATA_DIR"] * 2
        ]  # fmt: skip
        assert (tmp_path / "data" / "valkey" / "valkey.log").read_text().count("Ready to accept connections") == 1
    finally:
        for one in several:
            one.__exit__(None, None, None)


async def test_a_data_directory_with_a_path_too_long_for_a_unix_socket_works(tmp_path: Path) -> None:
    data = tmp_path / ("long" * 20) / ("longer" * 10)
    with Serving(tmp_path, DATA_DIR=str(data)) as one:
        await _talk_a_little(one)
        await _is_as_before(one)
        assert len(os.fsencode(embedded_address(data / "valkey").unix_socket)) <= 103
        assert one.stop() == 0


# Another server


async def test_stock_daphne_serves_the_same_application(tmp_path: Path, valkey_process: ValkeyProcess) -> None:
    one = Serving(tmp_path, **valkey_process.environment)
    one.port = free_port()
    command = [str(Path(sys.executable).with_name("daphne")), "-p", str(one.port), "aleatoria.asgi:application"]
    with (
        one.log.open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, env=one.environment, stdout=log, stderr=log) as daphne,
    ):
        try:
            wait_for_listener(daphne, one.port, one.log)
            async with Wire(one.url, "ana", room="daphne") as ana, Wire(one.url, "bob", room="daphne") as bob:
                await ana.says("hello", room="daphne")
                assert await bob.hears_said() == "hello"
                history = await bob.asks("get_recent_messages", "recent_messages", room="daphne")
                assert [message["payload"]["content"] for message in history["messages"]] == ["hello"]
        finally:
            daphne.terminate()
