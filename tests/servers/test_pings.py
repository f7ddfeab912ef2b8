"""A client that falls silent is missed by its pings, soon enough that the peer of a call learns of it in a minute."""

import sys
from collections.abc import Iterator

import pytest
from django.conf import settings
from websockets.frames import Opcode

from aleatoria.servers.daphne import PING_EVERY, PONG_WITHIN
from matchmaking import install
from tests.servers.messages import is_disconnected
from tests.support.processes import ServerProcess, ValkeyProcess
from tests.support.raw import Raw, framed
from tests.support.tab import LOST

SERVE_WITH_QUICK_PINGS = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "aleatoria.settings"
import django
django.setup()
from aleatoria.servers import daphne
daphne.PING_EVERY, daphne.PONG_WITHIN = 0.2, 2.0
from django.core.management import call_command
call_command("serve", port=int(sys.argv[1]))
"""


class Impatient(ServerProcess):
    """A server that pings often, and waits two seconds for the answer."""

    def command(self) -> list[str]:
        return [sys.executable, "-c", SERVE_WITH_QUICK_PINGS, str(self.port)]


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory, valkey_process: ValkeyProcess) -> Iterator[Impatient]:
    """One for all tests."""
    with Impatient(tmp_path_factory.mktemp("impatient"), **valkey_process.environment) as server:
        yield server


async def test_one_who_answers_no_ping_is_missed_and_not_taken_for_one_who_left(impatient: Impatient) -> None:
    async with Raw(impatient.url, "ana") as ana:
        frame = await ana.sees()
        assert frame is not None
        assert frame.opcode is Opcode.PING
        assert await ana.sees() is None
        await is_disconnected(impatient, "ana", LOST)


async def test_one_who_answers_them_stays(impatient: Impatient) -> None:
    async with Raw(impatient.url, "bob") as bob:
        for _ in range(2):  # one who answers none sees no second one
            frame = await bob.sees()
            assert frame is not None
            assert frame.opcode is Opcode.PING
            bob.puts(framed(bytes(frame.data), Opcode.PONG))


def test_a_silent_loss_is_told_to_the_peer_within_a_minute() -> None:
    # Silent right after a pong: a ping interval, then the time for its pong; then the lease, and a sweep.
    noticed = PING_EVERY + PONG_WITHIN
    assert noticed <= 24
    assert noticed + settings.CALL_HOLD.total_seconds() + install.SWEEP_EVERY < 60
    assert PING_EVERY >= 5  # more often would wake up every phone for nothing
