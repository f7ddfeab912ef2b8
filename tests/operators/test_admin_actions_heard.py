"""What users hear of the admin's actions, on two servers in processes of their own."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
import redis

from tests.conftest import breaches
from tests.support.admin_pages import (
    CALLS,
    CLEAR,
    CLOSE,
    REMOVE,
    ROOM,
    VALKEY,
    WITHDRAW,
    facts,
)
from tests.support.admin_server import Operator, Prepared
from tests.support.processes import PATIENCE, ValkeyProcess
from tests.support.tab import Talk
from tests.support.wire import Wire


class Site(NamedTuple):
    """Two server processes on one Valkey and one database, and an operator."""

    here: str
    there: str
    operator: Operator
    keys: redis.Redis


@pytest.fixture(scope="module")
def two_servers(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two servers for all tests of this module, on a Valkey that no other test uses."""
    with ValkeyProcess(tmp_path_factory.mktemp("site")) as own:
        one, two = (prepared.server(name, own.address, CALL_LEASE_SECONDS="3") for name in ("one", "two"))
        with one, two:
            yield Site(one.url, two.url, Operator(one, prepared.session), own.client)


@pytest.fixture
def site(two_servers: Site) -> Iterator[Site]:
    """The two servers with an empty Valkey. At the end of the test the audit must find no breach."""
    two_servers.keys.flushall()
    yield two_servers
    assert breaches(two_servers.keys) == []


async def connected(*tabs: Talk) -> None:
    """Return when each tab is subscribed to its user's group."""
    for one in tabs:
        await one.heard()


async def test_a_member_who_is_removed_hears_so_and_the_room_no_more(site: Site) -> None:
    async with Wire(site.here, "ana", room="attic") as ana, Wire(site.there, "bob", room="attic") as bob:
        await connected(ana, bob)
        assert site.operator.post(REMOVE).location == ROOM
        left = await ana.hears("room_left")
        assert left["room"] == "attic"
        await bob.says("is ana gone?")
        assert await bob.hears_said() == "is ana gone?"
        await ana.hears_nothing()
        assert (await ana.asks("get_rooms", "rooms_list"))["rooms"] == []
        assert site.keys.smembers("room:members:attic") == {b"bob"}


async def test_all_tabs_of_a_removed_member_hear_so_and_nobody_else_does(site: Site) -> None:
    async with (
        Wire(site.here, "ana", room="attic") as ana,
        Wire(site.there, "ana", room="attic") as again,
        Wire(site.there, "bob", room="attic") as bob,
    ):
        await bob.writes("ana", "are you both there?")
        for one in (ana, again):
            await one.hears_until("are you both there?")
        site.operator.post(REMOVE)
        for one in (ana, again):
            assert (await one.hears("room_left"))["room"] == "attic"
        assert [frame["payload"]["content"] for frame in await bob.heard()] == ["are you both there?"]


async def test_a_removed_member_may_join_again(site: Site) -> None:
    async with Wire(site.here, "ana", room="attic") as ana:
        await connected(ana)
        site.operator.post(REMOVE)
        await ana.hears("room_left")
        await ana.asks("join_room", "room_joined", room="attic")
        await ana.says("here I am")
        assert await ana.hears_said() == "here I am"


async def test_a_cleared_room_has_no_history_and_goes_on(site: Site) -> None:
    async with Wire(site.there, "ana", room="attic") as ana:
        await ana.says("before")
        await ana.hears_said()
        assert site.operator.post(CLEAR).location == ROOM
        await ana.says("after")
        await ana.hears_said()
        answer = await ana.asks("get_recent_messages", "recent_messages", room="attic")
        assert [message["payload"]["content"] for message in answer["messages"]] == ["after"]


@pytest.mark.parametrize("path", ["/ws", "/ws/chat", "/ws/matchmaking"])
async def test_all_sockets_of_a_user_are_closed_on_every_process(site: Site, path: str) -> None:
    async with (
        Wire(site.here, "ana", path=path) as here,
        Wire(site.there, "ana", path=path) as there,
        Wire(site.there, "bob", path="/ws/chat") as bob,
    ):
        await connected(bob)
        assert site.operator.post(CLOSE).location == VALKEY
        assert [await one.hears_close() for one in (here, there)] == [4403, 4403]
        await bob.hears_nothing()


async def test_the_call_of_a_user_whose_sockets_are_closed_is_over(site: Site) -> None:
    # Eve has sockets in two processes. Each process is told, and none waits for another.
    here, there = Wire(site.here, "eve"), Wire(site.there, "eve")
    async with here as eve, there, Wire(site.there, "bob", path="/ws/matchmaking") as bob:
        await bob.asks("request_random_peer", "no_peer_available")
        await eve.asks("request_random_peer", "assign_role")
        await bob.hears("assign_role")
        site.operator.post(CLOSE.replace("ana", "eve"))
        assert await eve.hears_close() == 4403
        over = await bob.hears("hangup")
        assert (over["fromUser"], over["payload"]["reason"]) == ("eve", "disconnected")


async def test_a_user_whose_sockets_were_closed_may_come_back(site: Site) -> None:
    async with Wire(site.here, "ana", room="attic") as ana:
        await connected(ana)
        site.operator.post(CLOSE)
        await ana.hears_close()
    async with Wire(site.here, "ana", room="attic") as ana:
        await ana.says("again")
        assert await ana.hears_said() == "again"


async def test_who_is_taken_out_of_the_pool_is_not_given_to_the_next(site: Site) -> None:
    path = "/ws/matchmaking"
    async with Wire(site.here, "bob", path=path) as bob, Wire(site.there, "cam", path=path) as cam:
        await bob.asks("request_random_peer", "no_peer_available")
        assert site.operator.post(WITHDRAW).location == CALLS
        await cam.asks("request_random_peer", "no_peer_available")
        # Until they ask again.
        assert (await bob.asks("request_random_peer", "assign_role"))["peerId"] == "cam"


async def test_the_socket_of_who_is_taken_out_of_the_pool_knows(site: Site) -> None:
    path = "/ws/matchmaking"
    async with Wire(site.here, "bob", path=path) as bob, Wire(site.here, "cam", path=path) as cam:
        for one in (bob, cam):
            await one.sends("user_available_webrtc")
        await _until(lambda: site.keys.scard("available:webrtc") == 2)
        site.operator.post(WITHDRAW)
        # The process tells a Valkey that has lost everything of those who wait, as far as it knows.
        site.keys.flushall()
        await _until(lambda: site.keys.scard("available:webrtc") > 0)
        assert site.keys.smembers("available:webrtc") == {b"cam"}


async def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_a_page_says_that_valkey_is_up(site: Site) -> None:
    assert facts(site.operator.get(VALKEY).html)["State seen by this process"] == "up"
