"""What comes late, or again, or is out of date, changes nothing for the worse."""

import time
from contextlib import AsyncExitStack
from typing import Any

import pytest
import redis

from aleatoria.valkey.publication import Publication
from aleatoria.wire import clock
from chat import operations
from chat.store.conversations import Conversations
from chat.store.direct_history import DirectHistory
from chat.store.repeats import Kept, Mark
from chat.store.room_history import RoomHistory
from tests.conftest import MakeTab
from tests.support.here import here, link
from tests.support.histories import ANA_AND_BOB, ATTIC, History, contents, moment
from tests.support.tab import Frame, Tab

HISTORIES = pytest.mark.parametrize("history", [ATTIC, ANA_AND_BOB], ids=["room", "conversation"])
HOUR = 3600
DAY = 86_400_000_000
READ = "user:read:ana"
ROOMS = ("attic", "garden", "zoo")


async def unread(tab: Tab) -> dict[str, int]:
    """With whom there are conversations, and how many messages are unread in each."""
    listed = (await tab.asks("get_conversations", "conversations_list"))["conversations"]
    return {one["withUser"]: one["unread"] for one in listed}


def status(frame: Frame) -> tuple[str, str]:
    """Who is what."""
    return frame["payload"]["userId"], frame["payload"]["status"]


# Conversations


@pytest.mark.parametrize(
    ("seconds", "listed"), [(30, {"bob": 0}), (-30, {})], ids=["just before it expires", "just after"]
)
async def test_a_conversation_is_listed_until_its_last_message_expires(
    tab: MakeTab, keys: redis.Redis, seconds: int, listed: dict[str, int]
) -> None:
    ANA_AND_BOB.plant(keys, ANA_AND_BOB.line("old", clock.text(clock.now() - DAY + seconds * 1_000_000)))
    keys.zadd("user:dms:ana", {"bob": clock.now()})
    keys.expire("user:dms:ana", HOUR)
    async with tab("ana") as ana:
        assert await unread(ana) == listed


def bob_wrote(keys: redis.Redis) -> list[str]:
    """Three messages of bob's to ana; their createTimes."""
    now = clock.now() - 60_000_000
    times = [clock.text(now + number) for number in range(3)]
    lines = [ANA_AND_BOB.line("hello", created) for created in times]
    swapped = [line.replace('"fromUser":"ana"', '"fromUser":"bob"') for line in lines]
    ANA_AND_BOB.plant(keys, *(line.replace('"toUser":"bob"', '"toUser":"ana"') for line in swapped))
    keys.zadd("user:dms:ana", {"bob": now})
    keys.expire("user:dms:ana", HOUR)
    return times


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_what_is_later_than_what_was_read_is_unread(tab: MakeTab, keys: redis.Redis, number: int) -> None:
    times = bob_wrote(keys)
    async with tab("ana") as ana:
        assert await unread(ana) == {"bob": 3}
        Conversations(link()).mark_read("ana", "bob", times[number])
        assert await unread(ana) == {"bob": 2 - number}


async def test_a_mark_that_comes_late_makes_nothing_unread_again(tab: MakeTab, keys: redis.Redis) -> None:
    times = bob_wrote(keys)
    async with tab("ana") as ana:
        read = Conversations(link())
        for created in (times[1], times[0]):
            read.mark_read("ana", "bob", created)
        assert await unread(ana) == {"bob": 1}
        assert keys.hgetall(READ) == {b"bob": times[1].encode()}
        read.mark_read("ana", "bob", times[2])
        assert await unread(ana) == {"bob": 0}


async def test_a_message_that_comes_late_makes_no_conversation_older(tab: MakeTab, keys: redis.Redis) -> None:
    now = clock.now()
    for created in (clock.text(now), clock.text(now - 60_000_000)):
        # Each by a process of its own, so that each puts the conversation into the lists.
        await DirectHistory(link()).append(
            "ana", "bob", ANA_AND_BOB.line(created, created), [], created=created, mark=None
        )
    for user, other in (("ana", "bob"), ("bob", "ana")):
        assert keys.zscore(f"user:dms:{user}", other) == now
    assert contents(ANA_AND_BOB.kept(keys)) == [clock.text(now - 60_000_000), clock.text(now)]


async def test_what_is_written_right_after_a_purge_is_kept_as_long_as_ever(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await ANA_AND_BOB.say(ana, "before")
        assert operations.forget_conversation(keys, "ana", "bob") == 1
        await ANA_AND_BOB.say(ana, "after")
        for name in ("dm:ana:bob", "user:dms:ana", "user:dms:bob"):
            assert keys.ttl(name) > 23 * HOUR
        assert await unread(ana) == {"bob": 0}
        await bob.hears_until("after")
        assert await unread(bob) == {"ana": 1}


async def test_a_conversation_that_is_deleted_leaves_nothing_on_either_side(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await ANA_AND_BOB.say(ana, "hello")
        await bob.hears("chat_message")
        for one, other in ((ana, "bob"), (bob, "ana")):
            await one.sends("mark_read", payload={"withUser": other})
            await one.asks("get_conversations", "conversations_list")
        assert keys.exists("user:dms:ana", "user:dms:bob", "user:read:ana", "user:read:bob") == 4
        operations.forget_conversation(keys, "ana", "bob")
        assert keys.exists("user:dms:ana", "user:dms:bob", "user:read:ana", "user:read:bob") == 0


async def test_what_is_said_right_after_a_room_was_cleared_is_kept_as_long_as_ever(
    tab: MakeTab, keys: redis.Redis
) -> None:
    async with tab("ana", room="attic") as ana:
        await ATTIC.say(ana, "before")
        assert operations.clear_history(keys, "attic") == 1
        await ATTIC.say(ana, "after")
        assert keys.ttl("room:messages:attic") > 23 * HOUR


# Repeats, as another process sees them: it has only what is in Valkey


async def keep(history: History, content: str, mark: Mark | None) -> Kept:
    """Keep a message as a process does that has just started."""
    created = clock.text(clock.now())
    line = history.line(content, created)
    if history is ATTIC:
        nowhere, micros = Publication(b"nowhere", b""), clock.micros(created)
        return await RoomHistory(link()).append("attic", line, nowhere, micros=micros, mark=mark)
    return await DirectHistory(link()).append("ana", "bob", line, [], created=created, mark=mark)


@HISTORIES
async def test_a_message_is_kept_once_under_an_id_whoever_gets_it(
    tab: MakeTab, keys: redis.Redis, history: History
) -> None:
    first, second = (Mark.of("ana", "m1", moment(number), b"hello") for number in range(2))
    assert await keep(history, "hello", first) == Kept(None)
    assert await keep(history, "hello", second) == Kept(first)
    assert len(history.kept(keys)) == 1
    assert 290_000 < keys.pttl(first.key) <= 300_000


@HISTORIES
async def test_when_its_mark_has_expired_an_id_may_be_used_again(
    tab: MakeTab, keys: redis.Redis, history: History
) -> None:
    first, second = (Mark.of("ana", "m1", moment(number), b"hello") for number in range(2))
    await keep(history, "hello", first)
    keys.delete(first.key)
    assert await keep(history, "hello again", second) == Kept(None)
    assert contents(history.kept(keys)) == ["hello", "hello again"]
    assert 290_000 < keys.pttl(first.key) <= 300_000


@HISTORIES
async def test_where_the_message_at_the_cursor_is_no_more_there_is_nothing_older(
    tab: MakeTab, keys: redis.Redis, history: History
) -> None:
    history.plant(keys, *(history.line(content, moment(0)) for content in "abcd"))
    async with tab("ana", room="attic") as ana:
        page = await history.page(ana, limit=2)
        assert sorted(contents(page["messages"])) == ["c", "d"]
        history.drop_oldest(keys, 3)
        assert (await history.page(ana, cursor=page["cursor"]))["messages"] == []


# Coming again


async def test_who_joins_a_room_again_is_not_told_to_have_come_again(tab: MakeTab) -> None:
    async with tab("bob", room="attic") as bob, tab("ana") as ana:
        await bob.asks("hello", "welcome", payload={"events": ["presence"]})
        await ana.asks("join_room", "room_joined", room="attic")
        assert status(await bob.hears("user_status")) == ("ana", "online")
        await ana.asks("join_room", "room_joined", room="attic")
        await bob.hears_nothing()


async def test_who_is_online_and_comes_into_another_room_is_told_there_and_nowhere_else(tab: MakeTab) -> None:
    async with tab("ana", room="attic"), tab("bob", room="attic") as bob, tab("eve", room="zoo") as eve:
        for one in (bob, eve):
            await one.asks("hello", "welcome", payload={"events": ["presence"]})
        async with tab("ana", room="zoo"):
            assert status(await eve.hears("user_status")) == ("ana", "online")
            await eve.hears_nothing()
            await bob.hears_nothing()


async def test_who_shares_any_of_several_rooms_is_told_once(tab: MakeTab, keys: redis.Redis) -> None:
    async with AsyncExitStack() as stack:
        others = [await stack.enter_async_context(tab(f"of-{room}", room=room)) for room in ROOMS]
        for one in others:
            await one.asks("hello", "welcome", payload={"events": ["presence"]})
        async with tab("ana", room=ROOMS[0]) as ana:
            for room in ROOMS[1:]:
                await ana.asks("join_room", "room_joined", room=room)
        keys.zadd("users:online", {"ana": 1})
        await here().people.sweep_presence()
        for one in others:
            assert status(await one.hears("user_status")) == ("ana", "online")
            assert status(await one.hears("user_status")) == ("ana", "offline")
            await one.hears_nothing()
        async with tab("ana"):
            for one in others:
                assert status(await one.hears("user_status")) == ("ana", "online")
                await one.hears_nothing()


async def test_who_comes_back_soon_counts_as_online_for_as_long_as_ever(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic"):
        pass
    async with tab("ana"):
        assert 20 < float(keys.zscore("users:online", "ana") or 0) - time.time() <= 25


async def test_nobody_hears_of_themselves(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        for one in (ana, bob):
            await one.asks("hello", "welcome", payload={"events": ["presence", "typing"]})
        async with tab("ana", room="zoo") as other_tab:
            await other_tab.asks("join_room", "room_joined", room="garden")
            await other_tab.sends("typing", toUser="ana")
            await other_tab.hears_nothing()
        assert {frame["type"] for frame in await ana.heard()} == {"chat_message"}
        await bob.hears_nothing()


async def test_who_has_not_asked_for_typing_does_not_see_it_even_when_it_is_for_them(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await bob.asks("hello", "welcome", payload={"events": ["presence"]})
        await ana.sends("typing", toUser="bob")
        await ana.hears_nothing()
        await bob.hears_nothing()


LONGEST: list[tuple[str, Any]] = [("x" * 4000, "chat_message"), ("x" * 4001, "error"), ("é" * 4000, "chat_message")]


@pytest.mark.parametrize(("content", "answer"), LONGEST, ids=["the longest", "one too many", "of other letters"])
async def test_a_message_has_four_thousand_characters_at_most(tab: MakeTab, content: str, answer: str) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.asks("chat_message", answer, room="attic", payload={"content": content})
