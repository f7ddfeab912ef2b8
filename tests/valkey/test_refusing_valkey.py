"""Valkey is there and of little use: it refuses to write or lets nobody in. Or it has never been there."""

import time
from collections.abc import Callable

import pytest
import redis

from aleatoria.valkey.address import Address
from aleatoria.valkey.health import State
from tests.conftest import MakeTab
from tests.support.here import link
from tests.support.outages import empty, fill_up, mortal, valkey_process, warnings
from tests.support.processes import ValkeyProcess
from tests.support.waiting import until

__all__ = ["mortal", "valkey_process"]  # fixtures


def become_a_replica(client: redis.Redis) -> None:
    client.replicaof("127.0.0.1", 1)


def become_the_primary(client: redis.Redis) -> None:
    client.replicaof("NO", "ONE")


@pytest.mark.parametrize(
    ("refuse", "accept"),
    [(fill_up, empty), (become_a_replica, become_the_primary)],
    ids=["full", "read-only"],
)
async def test_a_valkey_that_refuses_writes_stops_neither_broadcasts_nor_reads(
    tab: MakeTab,
    mortal: ValkeyProcess,
    caplog: pytest.LogCaptureFixture,
    refuse: Callable[[redis.Redis], None],
    accept: Callable[[redis.Redis], None],
) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        await ana.says("before")
        assert await ana.hears_said() == await bob.hears_said() == "before"
        refuse(mortal.client)
        for content in (f"meanwhile {n}" for n in range(5)):
            await ana.says(content)
            assert await ana.hears_said() == content
            assert await bob.hears_said() == content
        await until(State.READ_ONLY, 2)
        await ana.asks("join_room", "room_joined", room="cellar")
        history = await ana.asks("get_recent_messages", "recent_messages", room="attic")
        assert [message["payload"]["content"] for message in history["messages"]] == ["before"]
        assert history["degraded"] is True
        async with tab("cleo", room="attic") as cleo:
            await cleo.says("new here")
            assert await ana.hears_said() == "new here"
        accept(mortal.client)
        await until(State.UP, 3)
        await ana.says("after")
        await ana.hears_until("after")
        history = await ana.asks("get_recent_messages", "recent_messages", room="attic")
        assert [message["payload"]["content"] for message in history["messages"]] == ["after", "before"]
        assert "cellar" in (await ana.asks("get_rooms", "rooms_list"))["rooms"]
        assert mortal.client.sismember("room:members:cellar", "ana")
        assert len(warnings(caplog)) == 1


async def test_with_a_wrong_password_people_talk_all_the_same(
    tab: MakeTab, mortal: ValkeyProcess, caplog: pytest.LogCaptureFixture
) -> None:
    mortal.client.config_set("requirepass", "s3cret")
    await link().stop()
    link().address = Address(host="127.0.0.1", port=mortal.address.port, password="wr0ng")
    await link().start()
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        await ana.says("hello")
        assert await bob.hears_said() == "hello"
        await bob.writes("ana", "hi")
        assert (await ana.hears_until("hi"))[0]["payload"] == {"content": "hello"}
    assert len(warnings(caplog)) == 1
    assert "wr0ng" not in caplog.text


async def test_without_any_valkey_from_the_start_everything_but_memory_works(
    tab: MakeTab, mortal: ValkeyProcess, caplog: pytest.LogCaptureFixture
) -> None:
    await link().stop()
    mortal.kill()
    began = time.monotonic()
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        assert time.monotonic() - began < 1
        await ana.says("hello")
        assert await bob.hears_said() == "hello"
        await bob.asks("join_room", "room_joined", room="zoo")
        assert (await bob.asks("get_recent_messages", "recent_messages", room="zoo"))["degraded"] is True
    async with tab("bob") as bob:
        assert await bob.asks("get_rooms", "rooms_list") == {"rooms": ["attic", "zoo"]}
    assert len(warnings(caplog)) == 1
