"""`inspect_user` and `inspect_direct`."""

import pytest
import redis

from tests.conftest import MakeTab
from tests.support.calls import meet
from tests.support.commands import DAY, Manage, seconds_since
from tests.support.histories import ANA_AND_BOB


async def test_a_user_is_shown_with_their_rooms_conversations_and_call(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="cellar") as bob:
        await ana.asks("join_room", "room_joined", room="garden")
        await ANA_AND_BOB.say(ana, "psst")
        await bob.hears("chat_message")
        await meet(ana, bob)
        shown = await manage.json("inspect_user", "ana")
        (conversation,) = shown["conversations"]
        assert (shown["user"], shown["online"], shown["rooms"]) == ("ana", True, ["attic", "garden"])
        assert (conversation["one"], conversation["other"], conversation["messages"]) == ("ana", "bob", 1)
        assert (shown["call"]["waits"], shown["call"]["peer"]) == (False, "bob")
        assert 0 < shown["call"]["alive_for_seconds"] <= 45
        ran = await manage("inspect_user", "bob")
        assert ran.lines[:3] == [
            "bob is online. Random call: in a call with ana.", "Rooms: cellar.", "WITH MESSAGES NEWEST (UTC)",
        ]  # fmt: skip
        assert ran.lines[3].startswith("ana 1 20")
        assert "psst" not in ran.out


async def test_a_user_who_waits_is_shown_waiting(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.asks("request_random_peer", "no_peer_available")
        assert (await manage("inspect_user", "ana")).lines[0] == "ana is online. Random call: waiting in the pool."
        assert (await manage.json("inspect_user", "ana"))["call"]["waits"] is True


async def test_a_user_nobody_knows_is_offline_and_has_nothing(manage: Manage) -> None:
    assert (await manage("inspect_user", "ana")).lines == [
        "ana is offline. Random call: none.", "Rooms: none.", "Conversations: none.",
    ]  # fmt: skip
    assert await manage.json("inspect_user", "ana") == {
        "user": "ana", "online": False, "rooms": [], "conversations": [],
        "call": {"waits": False, "peer": "", "alive_for_seconds": None},
    }  # fmt: skip


async def test_users_whose_ids_are_alike_are_told_apart(tab: MakeTab, manage: Manage) -> None:
    async with tab("bob") as bob:
        for other in ("ana", "ana2", "banana", "an.", "bob"):
            await bob.writes(other, "hello")
            await bob.hears("chat_message")
        for user in ("ana", "ana2", "banana", "an."):
            (conversation,) = (await manage.json("inspect_user", user))["conversations"]
            assert (conversation["one"], conversation["other"]) == (user, "bob")
        others = [one["other"] for one in (await manage.json("inspect_user", "bob"))["conversations"]]
        assert others == ["an.", "ana", "ana2", "banana", "bob"]


@pytest.mark.plants
async def test_a_key_that_only_looks_like_a_conversation_is_none(keys: redis.Redis, manage: Manage) -> None:
    for name in ("dm:ana:bob:cat", b"dm:ana:\xff", "dm:ana:", "dm:ana"):
        keys.rpush(name, "hello")
    assert (await manage.json("inspect_user", "ana"))["conversations"] == []


async def test_a_conversation_is_the_same_from_both_sides(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await ANA_AND_BOB.say(ana, "psst")
        await bob.hears("chat_message")
        await ANA_AND_BOB.from_the_other_side().say(bob, "what?")
        for pair in (["ana", "bob"], ["bob", "ana"]):
            shown = await manage.json("inspect_direct", *pair)
            conversation = shown["conversation"]
            assert ([conversation["one"], conversation["other"]], conversation["messages"]) == (pair, 2)
            assert 0 <= seconds_since(conversation["newest"]) < 60
            assert conversation["memory_bytes"] > 0
            assert DAY - 60 < conversation["expires_in_seconds"] <= DAY
            assert shown["messages"] == []
            (line,) = (await manage("inspect_direct", *pair)).lines
            assert line.startswith(f"{pair[0]} and {pair[1]}: 2 messages, the newest from ")
            assert [line.split()[-2:] for line in (await manage("inspect_direct", *pair, "--tail", "2")).lines[2:]] == [
                ["ana", "psst"], ["bob", "what?"],
            ]  # fmt: skip


async def test_those_who_have_not_written_have_no_conversation(manage: Manage) -> None:
    ran = await manage("inspect_direct", "ana", "bob", "--json")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("ana and bob have no conversation")
