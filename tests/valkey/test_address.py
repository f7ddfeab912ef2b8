"""Which Valkey is used, which of its databases, and how long a blocking client waits for it."""

import time
from pathlib import Path

import pytest
import redis
from pytest_django import Settings

from aleatoria.valkey.address import Address, embedded_address, find
from benchmarks.processes import free_port
from tests.support.processes import ValkeyProcess


async def test_a_connection_and_a_client_use_the_database_of_their_address(
    keys: redis.Redis, valkey_process: ValkeyProcess
) -> None:
    address = valkey_process.address._replace(db=1)
    connection = address.connection()
    await connection.connect()  # type: ignore[no-untyped-call] # redis-py's
    await connection.send_command("CLIENT", "INFO")
    assert b" db=1 " in await connection.read_response()
    await connection.disconnect(nowait=True)
    with address.client() as client:
        assert client.client_info()["db"] == 1


def test_a_blocking_client_gives_a_valkey_that_hangs_up_after_three_seconds(tmp_path: Path) -> None:
    with ValkeyProcess(tmp_path) as process, process.address.client() as client:
        client.ping()
        process.hang()
        began = time.monotonic()
        with pytest.raises(redis.exceptions.TimeoutError):
            client.ping()
        assert 2 < time.monotonic() - began < 8
        began = time.monotonic()
        assert not process.address.answers(0.1)
        assert time.monotonic() - began < 2
        process.go_on()


def test_a_unix_socket_has_a_path_that_every_system_takes() -> None:
    short, long, longer = (embedded_address(Path("/data") / ("x" * size)).unix_socket for size in (10, 100, 101))
    assert short == f"/data/{'x' * 10}/valkey.sock"
    assert max(len(long), len(longer)) <= 103
    assert long != longer
    assert long == embedded_address(Path("/data") / ("x" * 100)).unix_socket


@pytest.fixture
def embedded(tmp_path: Path, settings: Settings) -> Path:
    """The socket of an embedded Valkey, which is not there yet. Nobody is at the configured address."""
    settings.DATA_DIR = tmp_path
    settings.VALKEY_HOST, settings.VALKEY_PORT, settings.VALKEY_CONFIGURED = "127.0.0.1", free_port(), False
    (tmp_path / "valkey").mkdir()
    return tmp_path / "valkey" / "valkey.sock"


def test_commands_use_the_embedded_valkey_if_there_is_one_and_no_other(embedded: Path) -> None:
    assert find() == Address.configured()
    embedded.touch()
    assert find() == Address(unix_socket=str(embedded))


def test_commands_use_the_valkey_that_is_configured_even_if_it_is_away(embedded: Path, settings: Settings) -> None:
    embedded.touch()
    settings.VALKEY_CONFIGURED = True
    assert find() == Address.configured()


def test_commands_use_the_valkey_of_this_machine_if_it_answers(
    embedded: Path, settings: Settings, valkey_process: ValkeyProcess
) -> None:
    embedded.touch()
    settings.VALKEY_PORT = valkey_process.address.port
    assert find() == Address.configured()
