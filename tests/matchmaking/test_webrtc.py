"""Two real WebRTC peers meet through a real server, and talk without it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from aioice import ice

from tests.support.phone import meet
from tests.support.processes import ValkeyProcess
from tests.support.serving import Serving
from tests.support.tab import Talk
from tests.support.wire import Wire


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peers reach each other on this machine, whatever networks it has."""
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, valkey_process: ValkeyProcess) -> Iterator[str]:
    directory: Path = tmp_path_factory.mktemp("webrtc")
    with Serving(directory, **valkey_process.environment) as server:
        yield server.url


@pytest_asyncio.fixture(loop_scope="session")
async def strangers(url: str) -> AsyncIterator[tuple[Talk, Talk]]:
    """One who asks and one who waits, with no other frame than what they ask for."""
    async with Wire(url, "ana", path="/ws/matchmaking") as ana, Wire(url, "bob", path="/ws/matchmaking") as bob:
        yield ana, bob


async def test_two_peers_exchange_data_over_a_channel_of_their_own(strangers: tuple[Talk, Talk]) -> None:
    ana, bob = await meet(*strangers)
    async with ana, bob:
        await ana.converses(bob)
        assert ana.candidates
        assert bob.candidates


async def test_they_meet_again_with_the_roles_the_other_way_round(strangers: tuple[Talk, Talk]) -> None:
    for asking, waiting in (strangers, strangers[::-1]):
        one, other = await meet(asking, waiting)
        async with one, other:
            await one.converses(other)
        await asking.sends("hangup", toUser=waiting.user)
        assert (await waiting.hears("hangup"))["fromUser"] == asking.user
