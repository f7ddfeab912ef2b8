"""`manage.py serve` as an operator meets it: what it says, and how it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from aleatoria.valkey.address import embedded_address
from benchmarks.processes import free_port, wait_for_listener
from tests.servers.messages import RESTART
from tests.support.processes import PATIENCE, ValkeyProcess, has_ended
from tests.support.repository import ROOT
from tests.support.serving import Serving
from tests.support.tab import Closed
from tests.support.wire import Wire

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
    assert has_ended(valkey_pid)
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
