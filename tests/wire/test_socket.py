"""The life of one socket: what it waits for when it opens, what it is told, and that it leaves nothing behind."""

import asyncio
import gc
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from aleatoria.valkey.address import Address
from aleatoria.wire import envelope, groups
from aleatoria.wire.consumer import EnvelopeConsumer
from benchmarks.processes import free_port
from tests.conftest import MakeTab
from tests.support.here import here, link
from tests.support.loop_clock import turns
from tests.support.tab import Tab

STATUS = {"events": ["status"]}


class Early(EnvelopeConsumer):
    """Is told something before it is open."""

    def own_groups(self) -> list[str]:
        return ["early"]

    async def enter(self) -> None:
        await super().enter()
        await self.broadcast("early", envelope.from_system("early", {}))
        await self.host.link.all_heard()
        await turns()


class Slow(EnvelopeConsumer):
    """Has not entered for as long as it is open."""

    async def enter(self) -> None:
        await asyncio.Event().wait()


def tab_of(kind: Callable[..., EnvelopeConsumer]) -> Tab:
    """A tab that is served by a consumer of this kind."""

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await kind(host=here())(scope, receive, send)

    return Tab(application, "ana")


@pytest.mark.usefixtures("node")
async def test_what_arrives_before_the_handshake_is_over_is_sent_right_after_it() -> None:
    async with tab_of(Early) as early:
        await early.hears("early")


@pytest.mark.usefixtures("node")
async def test_a_socket_opens_soon_whatever_is_still_to_be_done_for_it() -> None:
    began = time.monotonic()
    async with tab_of(Slow) as slow:
        assert time.monotonic() - began < 2
        await slow.asks("hello", "welcome")


@pytest.mark.usefixtures("node")
async def test_what_is_still_to_be_done_for_a_socket_ends_with_it() -> None:
    async with tab_of(Slow):
        pass
    await turns()
    assert [task for task in asyncio.all_tasks() if "Slow" in repr(task.get_coro())] == []


async def test_nothing_of_a_socket_is_kept_after_it(tab: MakeTab) -> None:
    def sockets() -> int:
        gc.collect()
        return sum(isinstance(thing, EnvelopeConsumer) for thing in gc.get_objects())

    before = sockets()
    for _ in range(3):
        async with tab("ana", room="attic") as ana:
            await ana.asks("hello", "welcome", payload={"events": ["presence", "typing", "status"]})
            await ana.says("hello")
            await ana.hears("chat_message")
    await turns()
    assert sockets() == before


async def test_a_socket_that_is_closed_without_a_code_ends_like_any_other(
    tab: MakeTab, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with tab("ana") as ana:
        await ana.closes(None)
    assert "ana is disconnected, code 1005" in caplog.text
    assert here().sockets == set()


def socket_of(user: str) -> EnvelopeConsumer:
    """The only socket of a user."""
    (socket,) = (one for one in here().sockets if one.user_id == user)
    assert isinstance(socket, EnvelopeConsumer)
    return socket


def life_of(user: str) -> "asyncio.Task[Any]":
    """The task that serves the socket of a user."""
    life = socket_of(user).output.life
    assert life is not None
    return life


async def test_a_socket_that_is_cut_ends_without_a_fault(tab: MakeTab) -> None:
    async with tab("ana") as ana:
        life = life_of("ana")
        await here().layer.group_send(groups.chat_sockets("ana"), {"type": "socket.close"})
        assert await ana.hears_close() == 4403
        assert life.done()
        assert not life.cancelled()


async def test_a_socket_whose_life_the_server_ends_hands_that_on(tab: MakeTab) -> None:
    ana = await tab("ana").__aenter__()
    life = life_of(ana.user)
    life.cancel()
    await asyncio.wait([life], timeout=5)
    assert life.cancelled()
    assert here().sockets == set()


async def test_what_a_socket_tells_the_others_of_its_user_does_not_come_back_to_it(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        for by, rooms in ((socket_of("ana").channel_name, ["attic"]), ("another", [])):
            event = {"type": "room.left", "room": "attic", "by": by}
            await here().layer.group_send(groups.chat_sockets("ana"), event)
            await ana.heard()
            assert await ana.asks("get_rooms", "rooms_list") == {"rooms": rooms}


# What it is told


async def test_a_welcome_has_its_fields_in_the_order_of_the_document(tab: MakeTab) -> None:
    async with tab("ana") as ana:
        welcome = await ana.asks("hello", "welcome")
        assert list(welcome) == ["userId", "rooms", "limits", "iceServers", "degraded", "version"]


async def test_who_comes_during_an_outage_is_told_of_it_in_the_welcome(tab: MakeTab) -> None:
    await link().stop()
    link().address = Address(host="127.0.0.1", port=free_port())
    async with tab("ana") as ana:
        assert (await ana.asks("hello", "welcome"))["degraded"] is True


async def test_only_those_who_have_asked_for_it_are_told_of_an_outage(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await ana.asks("hello", "welcome", payload={"events": ["presence", "typing"]})
        await bob.asks("hello", "welcome", payload=STATUS)
        here().say_degraded()
        await here().say_recovered()
        assert (await bob.hears("server_status"))["payload"] == {"degraded": True}
        assert (await bob.hears("server_status"))["payload"] == {"degraded": False, "gap": True}
        await ana.hears_nothing()


async def test_whoever_no_longer_asks_for_it_is_no_longer_told_of_an_outage(tab: MakeTab) -> None:
    async with tab("ana") as ana:
        await ana.asks("hello", "welcome", payload=STATUS)
        await ana.asks("hello", "welcome")
        here().say_degraded()
        await ana.hears_nothing()
