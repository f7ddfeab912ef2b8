"""Who is there: members, who comes and goes, who is typing."""

import asyncio
import time

import pytest
import redis

from tests.conftest import MakeServer, MakeTab
from tests.support.here import here, link
from tests.support.tab import Frame, Talk, strictly
from tests.support.wire import Wire

EVENTS = {"events": ["presence", "typing"]}


async def watches(tab: Talk) -> None:
    """Ask to hear of people."""
    await tab.asks("hello", "welcome", payload=EVENTS)


def status(frame: Frame) -> tuple[str, str]:
    """Who is what."""
    assert frame["fromUser"] == "system"
    assert set(frame["payload"]) == {"userId", "status", "timestamp"}
    return frame["payload"]["userId"], frame["payload"]["status"]


def time_is_up(keys: redis.Redis, user: str) -> None:
    """The fifteen seconds are over."""
    keys.zadd("users:online", {user: 1})


# Members


async def test_members_are_listed_by_name_with_who_is_online(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("bob", room="attic") as bob:
        async with tab("ana", room="attic"):
            pass
        time_is_up(keys, "ana")
        assert await bob.asks("get_members", "members_list", room="attic") == {
            "room": "attic",
            "members": [{"userId": "ana", "online": False}, {"userId": "bob", "online": True}],
        }


async def test_members_are_for_members(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        assert (await ana.asks("get_members", "error", room="zoo"))["code"] == "not_in_room"
        assert (await ana.asks("get_members", "error"))["code"] == "invalid_field"


# Presence


async def test_who_comes_is_online_at_once_and_told_once_to_those_who_share_rooms(tab: MakeTab) -> None:
    async with tab("bob", room="attic") as bob, tab("eve", room="zoo") as eve:
        await bob.asks("join_room", "room_joined", room="garden")
        for one in (bob, eve):
            await watches(one)
        async with tab("ana", room="attic") as ana:
            assert status(await bob.hears("user_status")) == ("ana", "online")
            await ana.asks("join_room", "room_joined", room="garden")
            assert status(await bob.hears("user_status")) == ("ana", "online")
            async with tab("ana"):
                await bob.hears_nothing()
                await eve.hears_nothing()


async def test_whoever_has_not_asked_hears_nothing_of_it(tab: MakeTab) -> None:
    async with tab("bob", room="attic") as bob, tab("ana", room="attic") as ana:
        await ana.sends("typing", room="attic")
        await ana.sends("typing", toUser="bob")
        await ana.hears_nothing()
        await bob.hears_nothing()


async def test_whoever_asks_no_longer_hears_nothing_more(tab: MakeTab) -> None:
    async with tab("bob", room="attic") as bob:
        await watches(bob)
        await bob.asks("hello", "welcome", payload={"events": []})
        async with tab("ana", room="attic") as ana:
            await ana.sends("typing", room="attic")
            await ana.hears_nothing()
            await bob.hears_nothing()


async def test_a_user_who_has_gone_is_offline_when_their_time_is_up_which_is_told_once(
    tab: MakeTab, keys: redis.Redis
) -> None:
    async with tab("bob", room="attic") as bob, tab("ana", room="attic") as ana:
        await bob.asks("join_room", "room_joined", room="garden")
        await ana.asks("join_room", "room_joined", room="garden")
        await watches(bob)
        await ana.closes()
        left = (keys.zscore("users:online", "ana") or 0) - time.time()
        assert 14 < left < 15.5
        await here().people.sweep_presence()
        await bob.hears_nothing()
        time_is_up(keys, "ana")
        await here().people.sweep_presence()
        await here().people.sweep_presence()
        assert status(await bob.hears("user_status")) == ("ana", "offline")
        await bob.hears_nothing()


async def test_who_comes_back_in_time_has_not_been_away(tab: MakeTab) -> None:
    async with tab("bob", room="attic") as bob:
        async with tab("ana", room="attic"):
            await watches(bob)
        async with tab("ana"):
            await here().people.sweep_presence()
            await bob.hears_nothing()


async def test_one_of_two_tabs_closing_changes_nothing(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as one, tab("ana"):
        await one.closes()
        assert (keys.zscore("users:online", "ana") or 0) - time.time() > 20


async def test_one_who_was_taken_for_gone_and_is_not_is_back(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic"), tab("bob", room="attic") as bob:
        await watches(bob)
        keys.zrem("users:online", "ana")
        await here().people.renew_presence()
        assert status(await bob.hears("user_status")) == ("ana", "online")


async def test_just_after_an_outage_nobody_is_taken_for_gone(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic"):
        time_is_up(keys, "ana")
        link().health.back_at = time.time()
        try:
            assert await here().people.chat.presences.sweep() == []
        finally:
            link().health.back_at = 0.0


async def test_three_tabs_on_two_processes_are_online_until_the_last_one_closes(
    server: MakeServer, keys: redis.Redis
) -> None:
    with server("one") as one, server("other") as other:
        async with Wire(other.url, "bob", room="attic") as bob:
            await watches(bob)
            first, second, third = (Wire(url, "ana", room="attic") for url in (one.url, other.url, other.url))
            async with third:
                assert status(await bob.hears("user_status")) == ("ana", "online")
                async with first, second:
                    pass
                assert keys.zscore("users:online", "ana")
            closed = time.time()
            frame = strictly(await asyncio.wait_for(bob.hears_text(), 20))
            assert status(frame) == ("ana", "offline")
            assert 14.5 < time.time() - closed < 18
            await bob.hears_nothing()


# Typing


async def test_typing_in_a_room_is_shown_to_the_others_who_have_asked(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic") as ana, tab("ana") as other_tab, tab("bob", room="attic") as bob:
        for one in (ana, other_tab, bob):
            await watches(one)
        await ana.heard()
        await other_tab.heard()
        await ana.sends("typing", room="attic", payload={"dots": 3})
        frame = await bob.hears("typing")
        assert (frame["fromUser"], frame["room"], frame["payload"]) == ("ana", "attic", {"dots": 3})
        await other_tab.hears_nothing()
        assert keys.exists("room:messages:attic") == 0


async def test_typing_to_somebody_is_shown_to_them_alone(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob, tab("eve", room="attic") as eve:
        for one in (bob, eve):
            await watches(one)
            await one.heard()
        await bob.heard()
        await ana.sends("typing", toUser="bob")
        assert (await bob.hears("typing"))["toUser"] == "bob"
        await eve.hears_nothing()


@pytest.mark.parametrize(
    ("to", "code"),
    [({"room": "zoo"}, "not_in_room"), ({}, "invalid_field"), ({"room": "attic", "toUser": "bob"}, "invalid_field")],
    ids=["a room the user is not in", "nobody", "both"],
)
async def test_typing_where_one_is_not_is_refused(tab: MakeTab, to: Frame, code: str) -> None:
    async with tab("ana", room="attic") as ana:
        assert (await ana.asks("typing", "error", **to))["code"] == code


async def test_after_joining_and_leaving_a_room_one_hears_what_one_should(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="zoo") as bob:
        await watches(bob)
        await bob.asks("join_room", "room_joined", room="attic")
        await ana.sends("typing", room="attic")
        await bob.hears("typing")
        await bob.asks("leave_room", "room_left", room="attic")
        await ana.sends("typing", room="attic")
        await ana.hears_nothing()
        await bob.hears_nothing()
