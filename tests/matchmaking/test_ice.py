"""STUN and TURN: what users are told of them, and that a real coturn takes the credentials made for them."""

import asyncio
import base64
import hashlib
import hmac
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from aioice import stun, turn

from benchmarks.processes import free_port, wait_for_listener
from matchmaking import ice
from tests.conftest import MakeTab
from tests.support.phone import meet
from tests.support.processes import ValkeyProcess
from tests.support.serving import Serving
from tests.support.tab import Talk
from tests.support.wire import Wire

SECRET = "north-wind"
STUN, TURN = "stun:stun.example.com:3478", "turn:turn.example.com:3478?transport=udp"


@pytest.fixture
def turn_settings(settings: Any) -> Any:
    settings.STUN_URLS, settings.TURN_URLS, settings.TURN_SECRET = [STUN], [TURN], SECRET
    return settings


# What users are told


# printf '1700003600:ana' | openssl dgst -sha1 -hmac north-wind -binary | base64
@pytest.mark.parametrize(
    ("user", "credential"), [("ana", "jQMrAptrL8QGWEEvDbTX2xKxjiY="), ("o~l@f+x", "6VvHbjwz09Tvg44yxXo7hTH5aq0=")]
)
def test_the_credential_is_what_openssl_makes_of_it(
    turn_settings: Any, monkeypatch: pytest.MonkeyPatch, user: str, credential: str
) -> None:
    monkeypatch.setattr("matchmaking.ice.time.time", lambda: 1_700_000_000.9)
    assert ice.servers_for(user) == [
        {"urls": [STUN]},
        {"urls": [TURN], "username": f"1700003600:{user}", "credential": credential},
    ]


def test_without_stun_turn_is_told_and_without_turn_stun(turn_settings: Any) -> None:
    turn_settings.STUN_URLS = []
    (server,) = ice.servers_for("ana")
    assert server["urls"] == [TURN]
    turn_settings.STUN_URLS, turn_settings.TURN_URLS = [STUN], []
    assert ice.servers_for("ana") == [{"urls": [STUN]}]


async def test_welcome_and_both_roles_say_which_servers_to_use(tab: MakeTab, turn_settings: Any) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        for one in (ana, bob):
            _check((await one.asks("hello", "welcome", payload={}))["iceServers"], one.user)
        await bob.sends("user_available_webrtc")
        await bob.hears_nothing()
        _check((await ana.asks("request_random_peer", "assign_role"))["iceServers"], "ana")
        _check((await bob.hears("assign_role"))["payload"]["iceServers"], "bob")


def _check(servers: list[dict[str, Any]], user: str) -> None:
    by_stun, by_turn = servers
    assert by_stun == {"urls": [STUN]}
    assert by_turn["urls"] == [TURN]
    expiry, whose = by_turn["username"].split(":")
    assert whose == user
    assert 3590 < int(expiry) - time.time() <= 3600
    assert by_turn["credential"] == _credential(by_turn["username"])


def _credential(username: str) -> str:
    return base64.b64encode(hmac.new(SECRET.encode(), username.encode(), hashlib.sha1).digest()).decode()


async def test_sockets_that_speak_no_matchmaking_are_told_no_servers(tab: MakeTab, turn_settings: Any) -> None:
    async with tab("ana", path="/ws/chat") as ana:
        assert (await ana.asks("hello", "welcome", payload={}))["iceServers"] == []
    assert turn_settings.TURN_URLS


async def test_without_servers_the_list_is_empty(tab: MakeTab) -> None:
    async with tab("ana") as ana:
        assert (await ana.asks("hello", "welcome", payload={}))["iceServers"] == []


# What coturn makes of it


class Coturn(NamedTuple):
    """A TURN server that checks what we make."""

    port: int

    @property
    def url(self) -> str:
        return f"turn:127.0.0.1:{self.port}?transport=udp"

    async def allocates(self, username: str, credential: str) -> str:
        """The address of the relay that it gives; stun.TransactionFailed when it refuses."""
        server = ("127.0.0.1", self.port)
        transport, _ = await turn.create_turn_endpoint(asyncio.DatagramProtocol, server, username, credential)
        where = str(transport.get_extra_info("sockname")[0])
        transport.close()
        return where


@pytest.fixture(scope="module")
def coturn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    """A real one, on loopback, set up as for production but for TLS."""
    port, directory = free_port(), tmp_path_factory.mktemp("coturn")
    where = [f"--{which}-ip=127.0.0.1" for which in ("listening", "relay")] + [f"--listening-port={port}"]
    auth = ["--use-auth-secret", f"--static-auth-secret={SECRET}", "--realm=chat.example.com"]
    files = [f"--userdb={directory / 'turndb'}", f"--pidfile={directory / 'pid'}", "--log-file=stdout"]
    command = ["turnserver", "-n", *where, *auth, *files, "--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers"]
    log = directory / "log"
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, cwd=directory) as process:
        try:
            wait_for_listener(process, port, log)
            yield Coturn(port)
        finally:
            process.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def strangers(coturn: Coturn, tmp_path: Path, valkey_process: ValkeyProcess) -> AsyncIterator[tuple[Talk, Talk]]:
    """One who asks and one who waits, at a server that knows the coturn."""
    where = valkey_process.environment
    with Serving(tmp_path, TURN_URLS=coturn.url, TURN_SECRET=SECRET, TURN_TTL_SECONDS="60", **where) as serving:
        path = "/ws/matchmaking"
        async with Wire(serving.url, "ana", path=path) as ana, Wire(serving.url, "bob", path=path) as bob:
            yield ana, bob


async def test_coturn_takes_the_credentials_and_two_peers_talk_through_it_only(strangers: tuple[Talk, Talk]) -> None:
    ana, bob = await meet(*strangers, relay_only=True)
    async with ana, bob:
        await ana.converses(bob)
        for candidate in ana.candidates + bob.candidates:
            assert " typ relay" in candidate


async def test_coturn_takes_the_credentials_of_welcome(strangers: tuple[Talk, Talk], coturn: Coturn) -> None:
    (server,) = (await strangers[0].asks("hello", "welcome", payload={}))["iceServers"]
    assert server["urls"] == [coturn.url]
    assert await coturn.allocates(server["username"], server["credential"]) == "127.0.0.1"


def _in(seconds: int) -> str:
    return f"{int(time.time()) + seconds}:ana"


EXPIRED = _in(-5)


@pytest.mark.parametrize(
    ("username", "credential"),
    [
        (_in(3600), base64.b64encode(b"twenty bytes of rot.").decode()),
        (_in(3600), _credential(_in(7200))),
        (EXPIRED, _credential(EXPIRED)),
    ],
    ids=["made up", "of another", "expired"],
)
async def test_coturn_refuses_what_is_wrong(coturn: Coturn, username: str, credential: str) -> None:
    with pytest.raises(stun.TransactionFailed) as refused:
        await coturn.allocates(username, credential)
    assert refused.value.response.attributes["ERROR-CODE"][0] == 401
