"""Messages, tokens, cookies and passwords are never in the log, at any level."""

import asyncio
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from django.test import AsyncClient
from pytest_django import Settings

from aleatoria.valkey.address import Address
from aleatoria.valkey.health import State
from tests.conftest import MakeServer, MakeTab
from tests.support.calls import meet
from tests.support.here import link
from tests.support.leaks import SERVER_SIDE, collecting
from tests.support.logs import FAILED, PAGE, PRODUCTION, status
from tests.support.planted_secrets import PLANTED, SAYS, come_with_proofs, nothing_of_it, say_all_of_it, tokens
from tests.support.processes import ValkeyProcess, inherited
from tests.support.tab import Talk
from tests.support.waiting import until
from tests.support.wire import Wire


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ValkeyProcess]:
    """A Valkey that requires a password."""
    with ValkeyProcess(tmp_path) as process:
        process.client.acl_setuser(
            "aleatoria",
            enabled=True,
            passwords=[f"+{PLANTED['the password of Valkey']}"],
            keys=["*"],
            channels=["*"],
            commands=["+@all"],
        )
        yield process


@pytest.fixture
def valkey_process(mortal: ValkeyProcess) -> ValkeyProcess:
    """The Valkey that `tab` is connected to."""
    return mortal


async def reconnect(address: Address) -> None:
    await link().stop()
    link().address = address
    await link().start()


@pytest.mark.plants
@pytest.mark.usefixtures("rooms_fail")
async def test_nothing_leaks_at_any_level(
    tab: MakeTab, mortal: ValkeyProcess, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.TURN_URLS, settings.TURN_SECRET = ["turn:t.example.com"], PLANTED["the secret of TURN"]
    log, proofs = tmp_path / "all.log", tokens()
    with collecting(log):
        for password in (PLANTED["a wrong password"], PLANTED["the password of Valkey"]):
            await reconnect(mortal.address._replace(username="aleatoria", password=password))
        assert link().health.state is State.UP
        async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
            await meet(ana, bob)
            await say_all_of_it(ana, bob)
            await ana.sends_bytes(PLANTED["a frame that is binary"].encode())
            await ana.asks("get_rooms", "error_response", payload=SAYS["what was in a frame whose handler failed"])
            await ana.asks("get_rooms", "error", payload=SAYS["what was in a frame whose handler failed"])
            await trouble_with_valkey(ana, mortal)
        assert await come_with_proofs(tab, PAGE, proofs) == 3
        await ask_over_http(monkeypatch, proofs)
    text = log.read_text()
    nothing_of_it(text, proofs)
    for said in (
        FAILED,
        "Valkey/Redis connection failed",
        "Valkey/Redis is back",
        "Valkey/Redis refused",
        "Not Found: ",
    ):
        assert said in text
    assert "Internal Server Error: " in text


async def trouble_with_valkey(ana: Talk, mortal: ValkeyProcess) -> None:
    """Send messages while Valkey hangs, while it is full, and while its keys have the wrong type."""
    text = PLANTED["what somebody says in a room"]
    for command in (
        ("POISON", text),
        ("SET", "planted", "x", "EX", "60"),
        ("LPUSH", "planted", text),
        ("EVAL", text, 0),
    ):
        link().post(*command)
    await ana.heard()
    mortal.hang()
    await ana.says(text)
    await ana.writes("bob", text)
    await until(State.DOWN, 3)
    mortal.go_on()
    await until(State.UP, 3)
    mortal.client.config_set("maxmemory", "1")
    await ana.says(text)
    await ana.writes("bob", text)
    await ana.sends("join_room", room="cellar")
    await ana.heard()
    mortal.client.config_set("maxmemory", "0")
    await until(State.UP, 3)
    for key in mortal.client.scan_iter():
        mortal.client.set(key, "something else", ex=60)
    await ana.says(text)
    await ana.writes("bob", text)
    await ana.writes("cleo", text)
    await ana.heard()
    mortal.client.flushall()


async def ask_over_http(monkeypatch: pytest.MonkeyPatch, proofs: list[str]) -> None:
    """Send requests that are not found, malformed, or fail, with secrets in every part."""

    async def fail(before: object) -> bytes:
        raise ValueError

    monkeypatch.setattr("aleatoria.telemetry.metrics.exposition", fail)
    client, query = AsyncClient(raise_request_exception=False), PLANTED["a query"]
    cookies = f"sessionid={PLANTED['a cookie']}; csrftoken={PLANTED['another cookie']}; aleatoria_guest={proofs[0]}"
    headers = {"authorization": f"Bearer {proofs[0]}", "cookie": cookies, "referer": f"http://testserver/?{query}"}
    for path, code in (("/nowhere", 404), ("/metrics", 500), ("/", 200)):
        assert (await client.get(f"{path}?token={query}&{query}", headers=headers)).status_code == code
    for body in (f'{{"name": "{PLANTED["a request that is malformed"]}', PLANTED["a request that is malformed"]):
        answer = await client.post(f"/api/session?{query}", body, content_type="application/json", headers=headers)
        assert answer.status_code == 400


LOUD = f"""
from aleatoria.settings import *

LOGGING["root"]["level"] = "DEBUG"
LOGGING["loggers"] = {{name: {{"level": "DEBUG"}} for name in {SERVER_SIDE}}}
"""
"""Settings with which a server logs as much as possible."""


@pytest.mark.plants
async def test_nothing_leaks_from_a_real_server_at_any_level(
    server: MakeServer, mortal: ValkeyProcess, tmp_path: Path
) -> None:
    (tmp_path / "loud.py").write_text(LOUD)
    loud = PRODUCTION | {
        "DJANGO_SETTINGS_MODULE": "loud",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), inherited().get("PYTHONPATH", "")]),
        "SECRET_KEY": PLANTED["the key of the server"],
        "TURN_URLS": "turn:t.example.com",
        "TURN_SECRET": PLANTED["the secret of TURN"],
        "VALKEY_USERNAME": "aleatoria",
    }
    with (
        server("well", VALKEY_PASSWORD=PLANTED["the password of Valkey"], **loud) as well,
        server("locked out", VALKEY_PASSWORD=PLANTED["a wrong password"], LOG_FORMAT="line", **loud) as locked_out,
    ):
        proofs = tokens()
        for one, welcomed in ((well, 3), (locked_out, 6)):
            proofs.append(await asyncio.to_thread(guest, one.url))
            async with Wire(one.url, "ana", room="attic") as ana, Wire(one.url, "bob", room="attic") as bob:
                await meet(ana, bob)
                await say_all_of_it(ana, bob)
                await ana.sends_bytes(PLANTED["a frame that is binary"].encode())
                await ana.hears("error_response")
            assert await come_with_proofs(partial(Wire, one.url), {"origin": one.url}, proofs) == welcomed
            for path, code in (("nowhere", 404), ("admin/", 500), ("", 200)):
                answer = await asyncio.to_thread(
                    status,
                    f"{one.url}/{path}?token={PLANTED['a query']}",
                    authorization=f"Bearer {proofs[-1]}",
                    cookie=f"sessionid={PLANTED['a cookie']}; aleatoria_guest={proofs[-1]}",
                )
                assert answer[0] == code
    for one in (well, locked_out):
        nothing_of_it(one.logged(), proofs)
        for said in ("WebSocket incoming frame on", "is in a call with", "Internal Server Error: /admin/"):
            assert said in one.logged()
    assert "Valkey/Redis connection failed" in locked_out.logged()
    assert "Valkey/Redis connection failed" not in well.logged()


def guest(url: str) -> str:
    """Return the token of a new guest."""
    with urllib.request.urlopen(urllib.request.Request(f"{url}/api/session", data=b"{}"), timeout=5) as response:
        return str(json.load(response)["token"])
