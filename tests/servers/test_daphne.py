"""Our socket on daphne, without a network: how much waits for a client, and what importing the server does."""

import subprocess
import sys
from typing import Any

import pytest

from aleatoria.servers.daphne import DaphneSocket
from aleatoria.servers.outbox import Flusher, Outbox
from tests.servers.messages import SLOW_READER
from tests.support.repository import ROOT


class Transport:
    """Twisted's, as far as it is asked what it has not sent yet, and a socket that takes so many bytes at once."""

    connected, disconnecting = True, False
    offset = 0

    def __init__(self, waiting: int = 0, takes: int = 0) -> None:
        self.dataBuffer, self._tempDataLen = b"", waiting
        self._tempDataBuffer = [bytes(waiting)] if waiting else []
        self._takes = takes
        self.socket = self
        self.sent, self.left = b"", b""

    def send(self, data: bytes) -> int:
        if not self._takes:
            raise BlockingIOError
        self.sent += data[: self._takes]
        return min(self._takes, len(data))

    def write(self, data: bytes) -> None:
        self.left += data


class Socket(DaphneSocket):
    """One that is open, and remembers with which codes it was closed."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self.state, self.transport, self.codes = self.STATE_OPEN, transport, list[int]()
        self._outbox = Outbox(Flusher(), self._write)

    def serverClose(self, code: int | None = None) -> None:
        self.codes.append(code or 0)


@pytest.mark.parametrize(("waiting", "codes"), [(1_048_576, []), (1_048_577, [SLOW_READER])], ids=["1 MiB", "more"])
async def test_a_client_is_cut_off_when_more_than_a_mebibyte_waits(waiting: int, codes: list[int]) -> None:
    socket = Socket(Transport(waiting))
    assert socket.serverSend("hello")
    assert socket.codes == codes


async def test_what_waits_for_the_end_of_the_turn_waits_too() -> None:
    socket = Socket(Transport())
    socket.serverSend("x" * 1_048_576)
    assert socket.codes == []
    socket.serverSend("one more")
    assert socket.codes == [SLOW_READER]


@pytest.mark.parametrize(
    ("transport", "sent", "left"),
    [
        (Transport(takes=100), b"one two", b""),
        (Transport(takes=3), b"one", b" two"),
        (Transport(takes=0), b"", b"one two"),
        (Transport(takes=100, waiting=1), b"", b"one two"),
    ],
    ids=["all", "the beginning", "nothing", "something waits before it"],
)
def test_what_the_socket_does_not_take_at_once_is_left_to_twisted(
    transport: Transport, sent: bytes, left: bytes
) -> None:
    Socket(transport)._write(b"one two")
    assert (transport.sent, transport.left) == (sent, left)


def test_importing_the_server_changes_nothing_in_autobahn() -> None:
    script = (
        "import django; django.setup()\n"
        "from autobahn.websocket import protocol\n"
        "before = protocol.hltype, protocol.hlval, protocol.pformat\n"
        "import aleatoria.servers.daphne\n"
        "assert before == (protocol.hltype, protocol.hlval, protocol.pformat)\n"
    )
    environment: dict[str, Any] = {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
