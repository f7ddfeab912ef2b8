"""What is answered over HTTP to those who watch the server."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from django.test import AsyncClient, Client
from redis import Redis

from aleatoria.valkey.address import Address
from benchmarks.processes import free_port
from tests.conftest import MakeTab
from tests.support.here import link


@pytest_asyncio.fixture
async def nowhere() -> AsyncIterator[None]:
    """No Valkey at all."""
    link().address = Address(host="127.0.0.1", port=free_port())
    yield
    await link().stop()


async def test_a_process_that_serves_is_healthy() -> None:
    response = await AsyncClient().get("/health")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


@pytest.mark.usefixtures("tab")
async def test_all_is_well_with_a_valkey() -> None:
    response = await AsyncClient().get("/ready")
    assert response.status_code == 200
    ready = response.json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", ready["valkey"].pop("since"))
    assert ready == {"status": "ok", "valkey": {"state": "up"}}


@pytest.mark.usefixtures("tab")
async def test_since_when_it_is_so_is_said_in_utc() -> None:
    before = datetime.now(UTC) - timedelta(seconds=10)
    link().health.down(OSError("gone"))
    ready = (await AsyncClient().get("/ready")).json()
    assert ready["valkey"]["state"] == "down"
    assert before < datetime.fromisoformat(ready["valkey"]["since"]) <= datetime.now(UTC)


@pytest.mark.usefixtures("nowhere")
async def test_without_a_valkey_we_serve_degraded_and_do_not_say_where_it_should_be() -> None:
    response = await AsyncClient().get("/ready")
    assert response.status_code == 200
    ready = response.json()
    assert ready["status"] == "degraded"
    assert ready["valkey"]["state"] == "down"
    since = ready["valkey"]["since"]  # whose digits could be those of the port
    assert str(link().address.port) not in response.content.decode().replace(since, "")
    assert (await AsyncClient().get("/health")).json() == {"status": "ok"}


async def test_a_valkey_that_takes_no_writes_is_degraded(tab: MakeTab, keys: Redis) -> None:
    keys.config_set("maxmemory", 1)
    try:
        async with tab("ana", room="attic") as ana:
            await ana.says("hello")
            await ana.hears("chat_message")
            # The first write that is refused tells; a join is one.
            await ana.asks("join_room", "room_joined", room="cellar")
        ready = (await AsyncClient().get("/ready")).json()
        assert (ready["status"], ready["valkey"]["state"]) == ("degraded", "read-only")
    finally:
        keys.config_set("maxmemory", 0)


@pytest.mark.django_db
def test_the_first_page_is_the_chat_and_needs_nothing_from_elsewhere(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/html; charset=utf-8"
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert b'data-user=""' in response.content


@pytest.mark.django_db
def test_the_first_page_knows_who_has_been_here(client: Client) -> None:
    guest = client.post("/api/session", {"name": "ana"}, content_type="application/json").json()["userId"]
    assert f'data-user="{guest}"'.encode() in client.get("/").content
    assert client.delete("/api/session").status_code == 204
    assert b'data-user=""' in client.get("/").content


def test_a_forged_cookie_is_nobody(client: Client) -> None:
    client.cookies["aleatoria_guest"] = "forged"
    assert b'data-user=""' in client.get("/").content


@pytest.mark.parametrize("path", ["/", "/health", "/ready"])
def test_these_are_only_read(path: str) -> None:
    assert Client().post(path).status_code == 405


def test_there_is_nothing_else() -> None:
    assert Client().get("/healthy").status_code == 404


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
async def test_who_looks_after_the_server_may_call_it_by_any_name(nowhere: None, settings: Any, path: str) -> None:
    settings.ALLOWED_HOSTS = ["chat.example.com"]
    assert (await AsyncClient().get(path, headers={"host": "10.0.0.5:8000"})).status_code == 200
    assert (await AsyncClient().get("/", headers={"host": "10.0.0.5:8000"})).status_code == 400
