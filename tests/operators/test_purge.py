"""`manage.py purge` shows what it would delete, and deletes a room or a conversation and nothing else."""

import pytest
import redis

from tests.conftest import MakeServer, MakeTab, breaches
from tests.operators.conftest import MakeWire
from tests.support.commands import Manage
from tests.support.histories import ANA_AND_BOB, ATTIC
from tests.support.purging import CLOSING, NOT_DONE, is_left_alone, meet, names, says, writes
from tests.support.tab import Talk
from tests.support.wire import Wire

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
