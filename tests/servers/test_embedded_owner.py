"""The embedded Valkey belongs to one server, and to nobody else on the machine."""

import asyncio
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from aleatoria.valkey.embedded import EmbeddedValkey, EmbeddedValkeyError
from aleatoria.valkey.health import Health
from tests.support.processes import PATIENCE, has_ended, kill
from tests.support.serving import Serving
from tests.support.wire import Wire

# The Valkey outlives the object that started it, which is meant: it outlives its server too.
pytestmark = pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")


@pytest.fixture(autouse=True)
def nothing_is_left_behind(tmp_path: Path) -> Iterator[None]:
    """A test that fails may leave a Valkey running."""
    yield
    for file in tmp_path.rglob("valkey.pid"):
        with suppress(ProcessLookupError, ValueError):
            os.kill(int(file.read_text()), signal.SIGKILL)


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """The owner of a running Valkey."""
    with EmbeddedValkey(tmp_path / "data") as one:
        yield one


async def soon(seen: Callable[[], object]) -> None:
    """Return when it is."""
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def permissions(path: Path) -> int:
    """Who may do what with a file."""
    return path.stat().st_mode & 0o777


def down() -> Health:
    """The health of a Valkey that does not answer."""
    health = Health()
    health.down(OSError("it is gone"))
    return health


def test_nobody_else_may_open_the_valkey_or_its_data(owner: EmbeddedValkey) -> None:
    socket = Path(owner.address.unix_socket)
    assert permissions(socket) == 0o700
    assert permissions(socket.parent) == 0o700
    with owner.address.client() as client:
        assert client.config_get("port") == {"port": "0"}


@pytest.fixture
def everybodys(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory for temporary files of everybody, with a path that leaves place for a socket's name."""
    with tempfile.TemporaryDirectory() as directory:
        monkeypatch.setattr(tempfile, "tempdir", directory)
        yield Path(directory)


def test_nobody_else_may_open_one_whose_socket_is_among_everybodys_files(tmp_path: Path, everybodys: Path) -> None:
    with EmbeddedValkey(tmp_path / ("a-long-name" * 10)) as one:
        directory = Path(one.address.unix_socket).parent
        assert directory.parent == everybodys
        assert permissions(directory) == 0o700


def test_a_directory_that_somebody_else_has_made_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    with pytest.raises(EmbeddedValkeyError, match="belongs to another user"), EmbeddedValkey(tmp_path):
        pass
    assert not (tmp_path / "valkey.log").exists()


def test_another_program_that_has_the_old_process_id_by_now_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        (tmp_path / "valkey.pid").write_text(str(other.pid))
        try:
            with EmbeddedValkey(tmp_path) as one:
                assert other.poll() is None
                assert one.pid != other.pid
            assert other.poll() is None
        finally:
            other.kill()


async def test_one_that_has_ended_is_started_again_by_its_owner_alone(owner: EmbeddedValkey, tmp_path: Path) -> None:
    first = owner.pid
    with EmbeddedValkey(tmp_path / "data") as sharer:
        assert (owner.owned, sharer.owned, sharer.pid) == (True, False, first)
        kill(first)
        await sharer.keep_running(down())
        assert sharer.pid == first
        await owner.keep_running(down())
        assert owner.pid != first
        await soon(lambda: owner.address.answers(1))
    assert owner.address.answers(1)  # the sharer has ended, and has not stopped it


async def test_one_that_runs_is_not_started_again(owner: EmbeddedValkey) -> None:
    first = owner.pid
    await owner.keep_running(down())  # it does not answer, but it has not ended
    assert owner.pid == first
    healthy = Health()
    await healthy.up()
    kill(first)
    await owner.keep_running(healthy)  # nobody has noticed yet: nothing is looked at
    assert owner.pid == first


@pytest.mark.parametrize("columns", ["20", "80", "1000"])
def test_it_ends_with_its_owner_however_narrow_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)  # ps shows no more of a command than this many characters
    with EmbeddedValkey(tmp_path) as one, one.address.client() as client:
        assert client.config_get("appendonly", "appendfsync", "save") == {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
        }
    assert has_ended(one.pid)


async def test_a_server_starts_its_valkey_again_and_keeps_what_is_said_then(serving: Serving) -> None:
    first = serving.valkey_pid
    async with Wire(serving.url, "ana", room="attic") as ana:
        await ana.asks("hello", "welcome", payload={"events": ["status"]})
        kill(first)
        for degraded in (True, False):
            assert (await ana.hears("server_status"))["payload"]["degraded"] is degraded
        assert serving.valkey_pid != first
        await ana.says("remember me")
        await ana.hears("chat_message")
        history = await ana.asks("get_recent_messages", "recent_messages", room="attic")
        assert [message["payload"]["content"] for message in history["messages"]] == ["remember me"]
