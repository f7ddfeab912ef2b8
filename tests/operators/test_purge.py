"""`manage.py purge` forgets a room, a user or a conversation, and nothing else; `seed_demo` fills rooms."""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.conftest import MakeServer, MakeTab, breaches
from tests.support.commands import Manage
from tests.support.histories import ANA_AND_BOB, ATTIC
from tests.support.processes import ValkeyProcess
from tests.support.tab import Talk
from tests.support.wire import Wire

NOT_DONE = "Nothing has been done. Add --yes to do it."
BANNED = 4403
CLOSING = "Sockets: close all sockets of ana with 4403."
MakeWire = Callable[..., Wire]


@pytest.fixture
def manage(keys: redis.Redis, valkey_process: ValkeyProcess, tmp_path: Path) -> Manage:
    """Commands on the Valkey of the test run."""
    return Manage(valkey_process.address, tmp_path)


@pytest.fixture
def wire(server: MakeServer) -> Iterator[MakeWire]:
    """`async with wire("ana", room="attic") as ana`: a tab of a server in a process of its own."""
    with server() as one:
        yield partial(Wire, one.url)


def names(keys: redis.Redis) -> set[str]:
    """All keys but those of who is online and how much is going on."""
    found: list[bytes] = keys.keys("*")  # type: ignore[assignment] # redis-py's are for async clients too
    return {name.decode() for name in found if not name.startswith((b"users:online", b"stats:"))}


def holding(keys: redis.Redis, user: str) -> set[str]:
    """The keys with a user's name, whole, in their own or in what they hold. Messages count by who wrote them."""
    entries: dict[str, Callable[[str], Any]] = {
        "set": keys.smembers,
        "hash": lambda key: [*keys.hkeys(key), *keys.hvals(key)],
        "zset": lambda key: keys.zrange(key, 0, -1),
        "list": lambda key: keys.lrange(key, 0, -1),
    }
    found = {name for name in names(keys) if user in name.split(":")}
    for name in names(keys):
        kind = keys.type(name).decode()  # type: ignore[union-attr]
        for entry in entries[kind](name) if kind in entries else ():
            written = entry.startswith(b"{") and json.loads(entry)["fromUser"]
            if user in (entry.decode(), written):
                found.add(name)
    return found


async def writes(writer: Talk, *others: str) -> None:
    """A direct message to each."""
    for other in others:
        await writer.writes(other, f"hello {other}")
        await writer.hears_until(f"hello {other}")


async def says(writer: Talk, content: str, room: str = "attic") -> None:
    """A message to a room."""
    await writer.says(content, room=room)
    await writer.hears_until(content)


async def meet(asking: Talk, waiting: Talk) -> None:
    """The two are in a call."""
    await waiting.asks("request_random_peer", "no_peer_available")
    assert (await asking.asks("request_random_peer", "assign_role"))["peerId"] == waiting.user
    assert (await waiting.hears("assign_role"))["payload"]["peerId"] == asking.user


async def said_in(reader: Talk, room: str = "attic") -> list[str]:
    """What is in a room's history, oldest first."""
    answer = await reader.asks("get_recent_messages", "recent_messages", room=room, payload={"limit": 200})
    return [message["payload"]["content"] for message in reversed(answer["messages"])]


async def rooms_of(tab: Talk) -> list[str]:
    """The rooms he is in, as he is told."""
    return sorted((await tab.asks("get_rooms", "rooms_list"))["rooms"])


async def is_left_alone(tab: Talk, room: str = "attic") -> None:
    """He hears his room no more, and may not speak in it."""
    assert (await tab.hears("room_left"))["room"] == room
    await tab.says("still here?", room=room)
    assert (await tab.hears("error"))["payload"]["code"] == "not_in_room"


# Looking first

PLANS = {
    "room": (["room", "attic"], ["Room attic: delete 2 memberships and 1 message."]),
    "conversation": (["conversation", "bob", "ana"], ["Conversation of bob and ana: delete 1 message."]),
    "user": (
        ["user", "ana"],
        [
            "Call: end the call with bob.",
            "Memberships: leave attic, garden.",
            "Room attic: delete 1 message of ana.",
            "Conversation of ana and bob: delete 1 message.",
            CLOSING,
        ],
    ),
}


@pytest.mark.parametrize(("arguments", "steps"), PLANS.values(), ids=PLANS)
async def test_without_yes_it_says_what_it_would_do_and_does_nothing(
    tab: MakeTab, keys: redis.Redis, manage: Manage, arguments: list[str], steps: list[str]
) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        await _all_that_can_be_forgotten(ana, bob)
        before = {name: keys.dump(name) for name in names(keys)}
        assert await manage("purge", *arguments) == (0, "\n".join([*steps, NOT_DONE, ""]), "")
        assert await manage.json("purge", *arguments) == {"done": False, "steps": steps}
        assert {name: keys.dump(name) for name in names(keys)} == before
        await ana.hears_nothing()
        await bob.hears_nothing()


@pytest.mark.parametrize(("arguments", "steps"), PLANS.values(), ids=PLANS)
async def test_with_yes_it_says_what_it_has_done_and_has_done_it(
    wire: MakeWire, keys: redis.Redis, manage: Manage, arguments: list[str], steps: list[str]
) -> None:
    async with wire("ana", room="attic") as ana, wire("bob", room="attic") as bob:
        await _all_that_can_be_forgotten(ana, bob)
        assert await manage.json("purge", *arguments, "--yes") == {"done": True, "steps": steps}
        again = (await manage.json("purge", *arguments))["steps"]
        assert again == ([CLOSING] if "user" in arguments else [])
        assert breaches(keys) == []


async def _all_that_can_be_forgotten(ana: Talk, bob: Talk) -> None:
    await ana.asks("join_room", "room_joined", room="garden")
    await meet(ana, bob)
    await says(ana, "hello")
    await writes(ana, "bob")
    await bob.hears_until("hello bob")


@pytest.mark.parametrize("arguments", [["room", "attic"], ["conversation", "ana", "bob"]])
async def test_where_nothing_is_nothing_is_forgotten(
    tab: MakeTab, keys: redis.Redis, manage: Manage, arguments: list[str]
) -> None:
    async with tab("cat", room="cellar") as cat:
        before = names(keys)
        for yes in ([], ["--yes"]):
            assert await manage("purge", *arguments, *yes) == (0, "There is nothing to delete.\n", "")
            assert (await manage.json("purge", *arguments, *yes))["steps"] == []
        assert names(keys) == before
        await cat.hears_nothing()


async def test_of_one_who_has_nothing_the_sockets_are_closed_in_any_case(keys: redis.Redis, manage: Manage) -> None:
    assert await manage("purge", "user", "ana") == (0, f"{CLOSING}\n{NOT_DONE}\n", "")
    assert await manage("purge", "user", "ana", "--yes") == (0, f"{CLOSING}\n", "")
    assert names(keys) == set()


# A room


async def test_a_room_is_gone_and_its_members_are_told(tab: MakeTab, keys: redis.Redis, manage: Manage) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob, tab("cat", room="cellar") as cat:
        await bob.asks("join_room", "room_joined", room="cellar")
        await says(ana, "hello")
        await says(cat, "hello", "cellar")
        await bob.hears_until("hello")
        await bob.hears_until("hello")
        assert (await manage("purge", "room", "attic", "--yes")).status == 0
        assert names(keys) == {"room:members:cellar", "room:messages:cellar", "user:rooms:bob", "user:rooms:cat"}
        assert breaches(keys) == []
        for one in (ana, bob):
            await is_left_alone(one)
        await cat.says("and here?", room="cellar")
        assert await bob.hears_said() == "and here?"
        assert await cat.hears_said() == "and here?"


async def test_those_who_come_back_to_a_purged_room_find_it_empty(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="attic") as ana:
        await ATTIC.say(ana, "hello")
        await manage("purge", "room", "attic", "--yes")
        await ana.hears("room_left")
        await ana.asks("join_room", "room_joined", room="attic")
        assert (await ATTIC.page(ana))["messages"] == []
        await ATTIC.say(ana, "anew")


@pytest.mark.parametrize(("name", "other"), [("*", "attic"), ("[a]?", "ab"), (r"a\b", "ab"), ("attic", "attic2")])
async def test_a_room_named_like_a_pattern_takes_no_other_with_it(
    tab: MakeTab, keys: redis.Redis, manage: Manage, name: str, other: str
) -> None:
    async with tab("ana", room=name) as ana, tab("bob", room=other) as bob:
        for one, room in ((ana, name), (bob, other)):
            await one.says("hello", room=room)
            await one.hears("chat_message")
        assert (await manage("purge", "room", name, "--yes")).status == 0
        await is_left_alone(ana, name)
        assert names(keys) == {f"room:members:{other}", f"room:messages:{other}", "user:rooms:bob"}
        assert breaches(keys) == []
        await bob.hears_nothing()


async def test_a_room_full_of_people_is_emptied(keys: redis.Redis, manage: Manage) -> None:
    await manage("seed_demo", "--yes", "--rooms", "2", "--messages", "10")
    for number in range(3000):
        keys.sadd(f"user:rooms:extra{number}", "attic 1")
        keys.expire(f"user:rooms:extra{number}", 60)
    keys.sadd("room:members:attic 1", *(f"extra{number}" for number in range(3000)))
    assert (await manage("purge", "room", "attic 1", "--yes")).status == 0
    assert [room["name"] for room in await manage.json("inspect_rooms")] == ["cellar 1"]
    assert not any(name.startswith("user:rooms:extra") for name in names(keys))
    assert breaches(keys) == []


async def test_members_hear_of_it_in_every_process(server: MakeServer, keys: redis.Redis, manage: Manage) -> None:
    with server("one") as one, server("two") as two:
        async with Wire(one.url, "ana", room="attic") as ana, Wire(two.url, "bob", room="attic") as bob:
            await ana.heard()
            await bob.heard()
            assert manage.process("purge", "room", "attic", "--yes") == (
                0, "Room attic: delete 2 memberships and 0 messages.\n", "",
            )  # fmt: skip
            for tab in (ana, bob):
                await is_left_alone(tab)
            assert names(keys) & {"room:members:attic", "user:rooms:ana", "user:rooms:bob"} == set()


# A conversation


async def test_a_conversation_is_gone_for_both_and_no_other_is(tab: MakeTab, keys: redis.Redis, manage: Manage) -> None:
    async with tab("bob") as bob:
        await writes(bob, "ana", "ana2", "banana", "bob")
        assert (await manage("purge", "conversation", "ana", "bob", "--yes")).status == 0
        left = {name for name in names(keys) if name.startswith("dm:")}
        assert left == {"dm:ana2:bob", "dm:banana:bob", "dm:bob:bob"}
        assert (await ANA_AND_BOB.from_the_other_side().page(bob))["messages"] == []
        assert breaches(keys) == []


async def test_a_conversation_with_oneself_can_be_purged(tab: MakeTab, keys: redis.Redis, manage: Manage) -> None:
    async with tab("bob") as bob:
        await writes(bob, "bob", "ana")
        assert (await manage("purge", "conversation", "bob", "bob", "--yes")).status == 0
        assert {name for name in names(keys) if name.startswith("dm:")} == {"dm:ana:bob"}


# A user


async def test_a_user_is_gone_with_all_he_said(wire: MakeWire, keys: redis.Redis, manage: Manage) -> None:
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


async def test_a_user_is_told_that_he_has_left_before_his_sockets_are_closed(wire: MakeWire, manage: Manage) -> None:
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


async def test_the_other_one_of_his_call_hears_that_it_is_over(
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
        # He is as free as anybody.
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


async def test_those_he_wrote_with_keep_what_is_theirs(wire: MakeWire, keys: redis.Redis, manage: Manage) -> None:
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


async def test_thousands_of_messages_of_his_are_forgotten(keys: redis.Redis, manage: Manage) -> None:
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


# Seeding


async def test_a_demo_has_what_is_asked_for(keys: redis.Redis, manage: Manage) -> None:
    assert await manage("seed_demo", "--yes", "--rooms", "12", "--messages", "100", "--users", "20") == (
        0, "Added 12 rooms with 100 messages of up to 20 users.\n", "",
    )  # fmt: skip
    rooms = await manage.json("inspect_rooms")
    assert len(rooms) == 12
    assert sum(room["messages"] for room in rooms) == 100
    assert all(1 <= room["members"] <= 12 for room in rooms)
    assert all(room["newest"] for room in rooms)
    users = {name for name in names(keys) if name.startswith("user:rooms:")}
    assert 2 <= len(users) <= 20
    assert breaches(keys) == []
    assert (await manage("audit")).status == 0


async def test_a_demo_is_read_like_any_other_room(tab: MakeTab, manage: Manage) -> None:
    await manage("seed_demo", "--yes", "--rooms", "1", "--messages", "30", "--users", "3")
    async with tab("ana", room="attic 1") as ana:
        await ana.sends("get_recent_messages", room="attic 1", payload={"limit": 200})
        messages = (await ana.hears("recent_messages"))["payload"]["messages"]
        assert len(messages) == 30
        times = [message["createTime"] for message in messages]
        assert times == sorted(times, reverse=True)


async def test_seeding_twice_does_no_harm(keys: redis.Redis, manage: Manage) -> None:
    for _ in range(2):
        assert (await manage("seed_demo", "--yes", "--rooms", "3", "--messages", "2", "--users", "1")).status == 0
    assert breaches(keys) == []
    assert len(await manage.json("inspect_rooms")) == 3


async def test_nobody_is_in_more_rooms_than_he_may_be(keys: redis.Redis, settings: Any, manage: Manage) -> None:
    settings.MAX_ROOMS_PER_USER = 2
    await manage("seed_demo", "--yes", "--rooms", "10", "--messages", "10", "--users", "1")
    assert keys.scard("user:rooms:guest-0") == 2
    assert breaches(keys) == []


async def test_where_debug_is_off_it_asks_for_yes(keys: redis.Redis, settings: Any, manage: Manage) -> None:
    settings.DEBUG = False
    ran = await manage("seed_demo", "--rooms", "1", "--messages", "1")
    assert (ran.status, ran.out) == (1, "")
    assert "--yes" in ran.err
    assert names(keys) == set()


async def test_where_debug_is_on_it_does_not_ask(keys: redis.Redis, settings: Any, manage: Manage) -> None:
    settings.DEBUG = True
    assert (await manage("seed_demo", "--rooms", "1", "--messages", "1")).status == 0
    assert len(names(keys)) > 0


async def test_what_has_been_seeded_can_be_purged(keys: redis.Redis, manage: Manage) -> None:
    await manage("seed_demo", "--yes", "--rooms", "3", "--messages", "30", "--users", "5")
    for room in await manage.json("inspect_rooms"):
        assert (await manage("purge", "room", room["name"], "--yes")).status == 0
    assert names(keys) == set()
