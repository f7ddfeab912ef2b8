"""`manage.py purge user` deletes everything of a user, and nothing of others."""

import time

import pytest
import redis

from tests.conftest import MakeTab, breaches
from tests.operators.conftest import MakeWire
from tests.support.commands import Manage
from tests.support.histories import ATTIC
from tests.support.purging import BANNED, CLOSING, holding, meet, names, rooms_of, said_in, says, writes


async def test_a_user_is_gone_with_all_that_they_said(wire: MakeWire, keys: redis.Redis, manage: Manage) -> None:
    async with wire("ana", room="attic") as ana, wire("bob", room="attic") as bob:
        await ana.asks("join_room", "room_joined", room="garden")
        await says(ana, "anybody here?", "garden")
        await writes(ana, "bob", "cat", "ana")
        await writes(bob, "ana")
        await bob.sends("mark_read", payload={"withUser": "ana"})
        await ana.sends("mark_read", payload={"withUser": "bob"})
        for number in range(3):
            await says(ana, f"from ana {number}")
            await says(bob, f"from bob {number}")
        assert {"user:read:bob", "user:dms:cat", "dm:ana:bob", "room:messages:garden"} < holding(keys, "ana")
        assert (await manage("purge", "user", "ana", "--yes")).status == 0
        assert await ana.hears_close() == BANNED
        assert holding(keys, "ana") == set()
        assert breaches(keys) == []
        assert "room:messages:garden" not in names(keys)
        await bob.heard()
        assert await said_in(bob) == [f"from bob {number}" for number in range(3)]


async def test_a_user_is_told_that_they_have_left_before_their_sockets_are_closed(
    wire: MakeWire, manage: Manage
) -> None:
    async with wire("ana", room="attic") as one, wire("ana") as other:
        for socket in (one, other):
            assert await rooms_of(socket) == ["attic"]
        assert (await manage("purge", "user", "ana", "--yes")).status == 0
        for socket in (one, other):
            await socket.hears("room_left")
            assert await socket.hears_close() == BANNED


@pytest.mark.parametrize("path", ["/ws", "/ws/chat", "/ws/matchmaking"])
async def test_all_sockets_of_a_user_are_closed_whatever_they_speak(wire: MakeWire, manage: Manage, path: str) -> None:
    async with wire("ana", path=path) as ana, wire("ana2", path=path) as ana2:
        for one in (ana, ana2):
            await one.asks("fence", "error")
        assert (await manage("purge", "user", "ana", "--yes")).lines[-1] == CLOSING
        assert await ana.hears_close() == BANNED
        await ana2.asks("fence", "error")


async def test_the_peer_of_their_call_is_told_that_it_is_over(
    wire: MakeWire, keys: redis.Redis, manage: Manage
) -> None:
    async with wire("ana", room="attic") as ana, wire("bob", room="cellar") as bob, wire("cat", room="cellar") as cat:
        await meet(ana, bob)
        await cat.asks("request_random_peer", "no_peer_available")
        assert (await manage("purge", "user", "ana", "--yes")).status == 0
        hangup = await bob.hears("hangup")
        assert (hangup["fromUser"], hangup["payload"]["reason"]) == ("ana", "disconnected")
        assert await ana.hears_close() == BANNED
        await bob.hears_nothing()
        assert keys.hlen("{available:webrtc}:pairs") == 0
        assert keys.smembers("available:webrtc") == {b"cat"}
        assert breaches(keys) == []
        # They can be paired again.
        assert (await bob.asks("request_random_peer", "assign_role"))["peerId"] == "cat"


async def test_one_who_waits_waits_no_longer(wire: MakeWire, keys: redis.Redis, manage: Manage) -> None:
    async with wire("ana", path="/ws/matchmaking") as ana, wire("bob") as bob:
        await ana.asks("request_random_peer", "no_peer_available")
        ran = await manage("purge", "user", "ana", "--yes")
        assert ran.lines == ["Call: leave the pool.", CLOSING]
        assert await ana.hears_close() == BANNED
        assert holding(keys, "ana") == set()
        await bob.asks("request_random_peer", "no_peer_available")


ALIKE = {
    "a beginning": ("ana", ["ana2", "anab", "ana.", "ana-bob"]),
    "an end": ("ana", ["banana", "2ana", "x-ana"]),
    "another case": ("ana", ["Ana", "ANA"]),
    "a pattern": ("a.+a", ["abba", "aa", "a.a"]),
}


@pytest.mark.parametrize(("user", "others"), ALIKE.values(), ids=ALIKE)
async def test_users_whose_ids_are_alike_keep_everything(
    tab: MakeTab, keys: redis.Redis, manage: Manage, user: str, others: list[str]
) -> None:
    for one in (user, *others):
        async with tab(one, room="attic") as socket:
            await says(socket, f'I am {one}, not {{"type":"chat_message","fromUser":"{user}","')
            await writes(socket, "bob")
    before = {name: keys.dump(name) for other in others for name in holding(keys, other) if other in name.split(":")}
    assert len(before) >= 2 * len(others)
    assert (await manage("purge", "user", user, "--yes")).status == 0
    assert {name: keys.dump(name) for name in before} == before
    assert holding(keys, user) == set()
    assert sorted(message["fromUser"] for message in ATTIC.kept(keys)) == sorted(others)
    assert keys.smembers("room:members:attic") == {other.encode() for other in others}
    assert breaches(keys) == []


async def test_those_who_wrote_with_the_user_keep_what_is_theirs(
    wire: MakeWire, keys: redis.Redis, manage: Manage
) -> None:
    async with wire("ana", room="attic") as ana, wire("bob", room="attic") as bob, wire("cat", room="attic") as cat:
        await writes(ana, "bob")
        await bob.hears_until("hello bob")
        await writes(bob, "cat")
        await bob.asks("join_room", "room_joined", room="cellar")
        await manage("purge", "user", "ana", "--yes")
        assert await ana.hears_close() == BANNED
        assert keys.llen("dm:bob:cat") == 1
        assert keys.smembers("room:members:attic") == {b"bob", b"cat"}
        assert await rooms_of(bob) == ["attic", "cellar"]
        await says(bob, "we are still here")
        await cat.hears_until("we are still here")


async def test_a_user_who_comes_back_begins_anew(wire: MakeWire, manage: Manage) -> None:
    async with wire("ana", room="attic") as ana:
        await says(ana, "hello")
        await manage("purge", "user", "ana", "--yes")
        assert await ana.hears_close() == BANNED
    async with wire("ana") as ana:
        assert await rooms_of(ana) == ["lobby"]


async def test_thousands_of_messages_of_a_user_are_deleted(keys: redis.Redis, manage: Manage) -> None:
    now = time.time_ns() // 1000
    lines = {}
    for number in range(3000):
        seconds, micros = divmod(now - number, 1_000_000)
        created = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{micros:06d}Z"
        line = ATTIC.line(f"message {number}", created)
        lines[line.replace('"ana"', '"bob"') if number % 3 == 0 else line] = (now - number) * 1000
    keys.zadd("room:messages:attic", lines)
    keys.expire("room:messages:attic", 60)
    ran = await manage("purge", "user", "ana", "--yes")
    assert "Room attic: delete 2000 messages of ana." in ran.lines
    assert keys.zcard("room:messages:attic") == 1000
    assert breaches(keys) == []
