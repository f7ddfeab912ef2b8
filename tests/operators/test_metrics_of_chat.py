"""The metrics of sockets, messages, and of what is refused or cut off."""

import asyncio
import json
import urllib.error
import urllib.request
from contextlib import AsyncExitStack
from typing import Any

import pytest
import redis
from channels.layers import get_channel_layer
from pytest_django import Settings

from aleatoria.operators import operations
from aleatoria.telemetry import trace
from tests.conftest import MakeServer, MakeTab
from tests.support.calls import OFFER, meet
from tests.support.here import here
from tests.support.metrics import Watch, samples
from tests.support.tab import Denied
from tests.support.wire import Wire

PAGE = {"origin": "http://testserver", "host": "testserver"}


async def test_sockets_are_counted_and_users_once_each(tab: MakeTab, growth: Watch) -> None:
    since = await growth()
    names = ("aleatoria_sockets", "aleatoria_users", "aleatoria_rooms", "aleatoria_connections_total{opened}")
    async with tab("ana", room="attic"):
        async with tab("ana", room="attic"), tab("bob", room="cellar"):
            assert await since.of(*names) == [3, 2, 2, 3]
        assert await since.of(*names) == [1, 1, 1, 3]
    assert await since.of(*names) == [0, 0, 0, 3]


async def test_rooms_are_counted_once_each_however_many_are_in_them(tab: MakeTab, growth: Watch) -> None:
    since = await growth()
    async with tab("ana", room="attic") as ana, tab("bob", room="attic"):
        assert await since.of("aleatoria_rooms") == [1]
        await ana.asks("join_room", "room_joined", room="cellar")
        assert await since.of("aleatoria_rooms") == [2]
        await ana.asks("leave_room", "room_left", room="attic")
        await ana.asks("leave_room", "room_left", room="cellar")
        assert await since.of("aleatoria_rooms") == [1]


async def test_a_page_of_elsewhere_is_counted_as_such(tab: MakeTab, growth: Watch) -> None:
    since = await growth()
    with pytest.raises(Denied):
        await tab("ana", headers=PAGE | {"origin": "http://eve.example.com"}).__aenter__()
    assert await since.of("aleatoria_connections_total{origin}", "aleatoria_connections_total{opened}") == [1, 0]


@pytest.mark.parametrize(("query", "outcome"), [("", "unidentified"), ("userId=a%00", "bad_request")])
async def test_one_who_is_refused_is_counted_by_why(tab: MakeTab, growth: Watch, query: str, outcome: str) -> None:
    since = await growth()
    async with tab("ana", query=query, headers=PAGE) as ana:
        await ana.hears_close()
    assert await since.of(f"aleatoria_connections_total{{{outcome}}}", "aleatoria_sockets") == [1, 0]


async def test_a_message_to_a_room_is_one_and_each_socket_a_delivery(tab: MakeTab, growth: Watch) -> None:
    async with AsyncExitStack() as stack:
        five = [await stack.enter_async_context(tab(f"p{n}", room="attic")) for n in range(5)]
        for one in five:
            await one.hears_nothing()
        since = await growth()
        await five[0].says("hello")
        for one in five:
            await one.hears("chat_message")
        assert await since.of(
            "aleatoria_messages_total{room}",
            "aleatoria_messages_total{direct}",
            "aleatoria_frames_received_total",
            "aleatoria_deliveries_total",
            "aleatoria_delivery_seconds_count",
        ) == [1, 0, 1, 5, 1]
        (seconds,) = await since.of("aleatoria_delivery_seconds_sum")
        assert 0 < seconds < 1


async def test_a_direct_message_is_delivered_to_both(tab: MakeTab, growth: Watch) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        since = await growth()
        await ana.writes("bob", "psst")
        for one in (ana, bob):
            await one.hears("chat_message")
        names = ("aleatoria_messages_total{direct}", "aleatoria_messages_total{room}", "aleatoria_deliveries_total")
        assert await since.of(*names) == [1, 0, 2]


@pytest.mark.parametrize(("kind", "to"), [("room", {"room": "attic"}), ("direct", {"toUser": "bob"})])
async def test_a_message_that_another_process_has_kept_before_is_not_counted_again(
    tab: MakeTab, growth: Watch, monkeypatch: pytest.MonkeyPatch, kind: str, to: dict[str, str]
) -> None:
    # This process has not seen the first copy, so only Valkey knows of it.
    monkeypatch.setattr("chat.services.messages.Messages.sent_before", lambda *_: None)
    async with tab("ana", room="attic") as ana:
        since = await growth()
        for _ in range(3):
            await ana.asks("chat_message", "chat_message", messageId="m1", payload={"content": "hello"}, **to)
        assert await since.of(f"aleatoria_messages_total{{{kind}}}", "aleatoria_messages_not_kept_total") == [1, 0]


async def test_coming_and_going_is_no_delivery_that_took_long(tab: MakeTab, growth: Watch) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        since = await growth()
        async with tab("ana", room="attic"):
            pass
        await bob.closes()
        await ana.hears("hangup")
        assert await since.of("aleatoria_delivery_seconds_count", "aleatoria_delivery_seconds_sum") == [0, 0]


async def test_messages_to_those_who_are_not_here_leave_nothing_behind(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        for number in range(1000):
            await ana.writes("nobody", str(number))
        for _ in range(1000):
            await ana.hears("chat_message")
        assert len(here().layer._publishes._causes) == 0


async def test_nor_does_what_is_sent_to_nobody_at_all(tab: MakeTab) -> None:
    trace.current.set(trace.Trace())
    for number in range(1000):
        await get_channel_layer().group_send("user.nobody", {"type": "websocket.send", "text": str(number)})
    assert len(here().layer._publishes._causes) == 0


@pytest.mark.parametrize(
    ("outcome", "room"), [("found", "attic"), ("empty", "cellar")], ids=["something is there", "nothing is there"]
)
async def test_histories_are_counted_by_what_was_found(tab: MakeTab, growth: Watch, outcome: str, room: str) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.asks("join_room", "room_joined", room="cellar")
        await ana.says("hello", room="attic")
        await ana.hears("chat_message")
        since = await growth()
        await ana.asks("get_recent_messages", "recent_messages", room=room)
        assert await since.of(f"aleatoria_history_reads_total{{{outcome}}}") == [1]


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        ("not_in_room", {"type": "chat_message", "room": "zoo", "payload": {"content": "hello"}}),
        ("invalid_field", {"type": "join_room", "room": "{}"}),
        ("unknown_type", {"type": "poison"}),
        ("forbidden", {"type": "assign_role"}),
        ("not_matched", {"type": "webrtc_offer", "toUser": "bob", "payload": OFFER}),
    ],
)
async def test_what_is_declined_is_counted_by_its_code(
    tab: MakeTab, growth: Watch, code: str, request_: dict[str, Any]
) -> None:
    async with tab("ana", room="attic") as ana:
        since = await growth()
        await ana.sends_text(json.dumps(request_))
        assert (await ana.hears("error"))["payload"]["code"] == code
        assert await since.of(f"aleatoria_refusals_total{{{code}}}") == [1]


async def test_what_is_too_fast_is_counted(tab: MakeTab, growth: Watch, settings: Settings) -> None:
    async with tab("ana", room="attic") as ana:
        since = await growth()
        settings.RATE_LIMITS = True
        for _ in range(30):
            await ana.sends("get_rooms")
        kinds = [(await ana.hears_frame())["type"] for _ in range(30)]
        refused = kinds.count("error")
        assert refused > 0
        assert await since.of("aleatoria_refusals_total{rate_limited}") == [refused]


async def test_a_flood_is_counted_as_one_that_was_cut_off(tab: MakeTab, growth: Watch, settings: Settings) -> None:
    async with tab("ana", room="attic") as ana:
        since = await growth()
        settings.RATE_LIMITS = True
        for _ in range(1000):
            await ana.sends("get_rooms")
        assert await ana.hears_close() == 4429
        assert await since.of("aleatoria_sockets_cut_total{flooding}", "aleatoria_sockets") == [1, -1]


async def test_malformed_frames_are_counted_and_so_is_the_one_whom_they_cut_off(tab: MakeTab, growth: Watch) -> None:
    async with tab("ana") as ana:
        since = await growth()
        for _ in range(20):
            await ana.sends_text("poison")
        assert await ana.hears_close() == 4400
        assert await since.of("aleatoria_malformed_frames_total", "aleatoria_sockets_cut_total{malformed}") == [20, 1]


async def test_a_handler_that_fails_is_counted(tab: MakeTab, growth: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr("chat.payloads.rooms_list", fail)
    async with tab("ana", room="attic") as ana:
        since = await growth()
        await ana.asks("get_rooms", "error")
        assert await since.of("aleatoria_handler_failures_total", "aleatoria_malformed_frames_total") == [1, 0]


async def test_a_real_server_counts_one_who_does_not_read(server: MakeServer) -> None:
    pad = json.dumps({"type": "chat_message", "room": "slow", "payload": {"content": "big", "pad": "x" * 65_000}})
    with server() as one:
        async with Wire(one.url, "ana", room="slow") as ana, Wire(one.url, "sloth", room="slow") as sloth:
            sloth.connection.transport.pause_reading()
            for _ in range(200):
                await ana.sends_text(pad)
                await ana.hears("chat_message")
            numbers = samples(await asyncio.to_thread(fetch, f"{one.url}/metrics"))
            assert numbers["aleatoria_sockets_cut_total{slow_reader}"] == 1
            assert numbers["aleatoria_messages_total{room}"] == 200
            sloth.drops()


async def test_a_real_server_counts_one_who_is_banned_once_a_socket(server: MakeServer, keys: redis.Redis) -> None:
    with server() as one:
        async with Wire(one.url, "ana") as here, Wire(one.url, "ana") as there:
            operations.close_sockets(keys, "ana")
            assert [await here.hears_close(), await there.hears_close()] == [4403, 4403]
        numbers = samples(await asyncio.to_thread(fetch, f"{one.url}/metrics"))
        assert numbers["aleatoria_sockets_cut_total{banned}"] == 2


async def test_a_real_server_tells_nobody_through_a_proxy(server: MakeServer) -> None:
    with server() as one, pytest.raises(urllib.error.HTTPError, match="403"):
        await asyncio.to_thread(fetch, f"{one.url}/metrics", "203.0.113.7")


def fetch(url: str, forwarded_for: str = "") -> str:
    headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as response:
        return str(response.read().decode())
