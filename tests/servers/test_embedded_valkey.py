"""The embedded Valkey: what a crash leaves behind, and several servers with one DATA_DIR."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aleatoria.valkey import embedded
from aleatoria.valkey.address import embedded_address
from aleatoria.valkey.embedded import EmbeddedValkey, EmbeddedValkeyError
from tests.support.processes import has_ended, kill
from tests.support.repository import ROOT
from tests.support.serving import Serving
from tests.support.wire import Wire

POLL = 0.02


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
    assert has_ended(left)


async def test_after_a_crash_all_is_there_though_the_valkey_that_was_left_hangs(serving: Serving) -> None:
    await _talk_a_little(serving)
    left = serving.valkey_pid
    serving.kill()
    os.kill(left, signal.SIGSTOP)
    began = time.monotonic()
    serving.start()
    assert time.monotonic() - began < 8
    assert has_ended(left)
    await _is_as_before(serving)


async def test_after_a_crash_of_both_all_is_there(serving: Serving) -> None:
    await _talk_a_little(serving)
    left = serving.valkey_pid
    serving.kill()
    kill(left)
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
