"""Several tabs of one user are one user."""

import redis

from tests.conftest import MakeTab
from tests.support.tab import Frame, Tab


async def heard(*tabs: Tab) -> list[list[Frame]]:
    """What each of a user's tabs has heard up to now: a message to oneself comes to all of them."""
    await tabs[0].writes(tabs[0].user, "fence")
    return [await each.hears_until("fence") for each in tabs]


async def test_each_tab_of_a_user_hears_a_room_once(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as one, tab("ana", room="attic") as two, tab("bob", room="attic") as bob:
        await bob.says("hello")
        await two.says("hello yourself")
        for each in (one, two, bob):
            assert [await each.hears_said(), await each.hears_said()] == ["hello", "hello yourself"]
        assert await heard(one, two) == [[], []]
        assert await heard(bob) == [[]]


async def test_a_tab_is_in_the_rooms_that_an_older_one_has_joined(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as one:
        await one.asks("join_room", "room_joined", room="cellar")
        async with tab("ana") as two:
            assert await two.asks("get_rooms", "rooms_list") == {"rooms": ["attic", "cellar"]}


async def test_a_room_joined_in_one_tab_is_joined_in_all_and_only_that_one_is_answered(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as one, tab("ana", room="attic") as two, tab("bob", room="zoo") as bob:
        await one.asks("join_room", "room_joined", room="zoo")
        assert await heard(one, two) == [[], []]
        await bob.says("welcome", room="zoo")
        for each in (one, two):
            assert await each.hears_said() == "welcome"
            assert await each.asks("get_rooms", "rooms_list") == {"rooms": ["attic", "zoo"]}
        await two.says("thanks", room="zoo")
        assert [await bob.hears_said(), await bob.hears_said()] == ["welcome", "thanks"]


async def test_a_room_asked_for_by_a_new_tab_is_joined_in_the_old_one_too(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as one, tab("ana", room="zoo") as two:
        await two.says("hello", room="zoo")
        for each in (one, two):
            assert await each.hears_said() == "hello"
        assert await one.asks("get_rooms", "rooms_list") == {"rooms": ["attic", "zoo"]}
        assert await two.asks("get_rooms", "rooms_list") == {"rooms": ["attic", "zoo"]}


async def test_the_default_room_that_a_new_tab_comes_into_is_joined_in_the_old_one_too(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as one:
        await one.asks("leave_room", "room_left", room="attic")
        async with tab("ana") as two:
            await two.says("hello", room="lobby")
            assert await one.hears_said() == "hello"


async def test_a_room_left_in_one_tab_is_left_in_all(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as one, tab("ana", room="attic") as two, tab("bob", room="attic") as bob:
        await one.asks("leave_room", "room_left", room="attic")
        assert await heard(one, two) == [[], []]
        await bob.says("where is ana?")
        await bob.hears("chat_message")
        assert await heard(one, two) == [[], []]
        for each in (one, two):
            assert await each.asks("get_rooms", "rooms_list") == {"rooms": []}
        refused = await two.asks("chat_message", "error", room="attic", payload={"content": "here!"})
        assert refused["code"] == "not_in_room"
        await bob.hears_nothing()


async def test_what_one_tab_joins_and_leaves_does_not_concern_other_users(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        await ana.asks("join_room", "room_joined", room="zoo")
        await ana.asks("leave_room", "room_left", room="attic")
        assert await bob.asks("get_rooms", "rooms_list") == {"rooms": ["attic"]}
        await bob.hears_nothing()


async def test_closing_one_of_two_tabs_changes_nothing_for_the_other(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic") as one, tab("ana", room="attic") as two, tab("bob", room="attic") as bob:
        await one.closes()
        await bob.says("still here?")
        assert await two.hears_said() == "still here?"
        await bob.writes("ana", "psst")
        assert await two.hears_said() == "psst"
        await two.says("yes")
        assert [await bob.hears_said() for _ in range(3)] == ["still here?", "psst", "yes"]
        assert keys.smembers("room:members:attic") == {b"ana", b"bob"}


async def test_a_tab_lost_without_a_word_changes_nothing_for_the_other(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as one, tab("ana", room="attic") as two, tab("bob", room="attic") as bob:
        await two.closes(1006)
        await bob.says("still here?")
        assert await one.hears_said() == "still here?"


async def test_a_reconnect_that_overlaps_the_old_sockets_end_stays_connected_and_a_member(
    tab: MakeTab, keys: redis.Redis
) -> None:
    async with tab("bob", room="attic") as bob:
        old = await tab("ana", room="attic").__aenter__()
        for _ in range(5):
            async with tab("ana") as new:
                await old.closes(1006)
                await bob.says("room")
                await bob.writes("ana", "direct")
                assert [await new.hears_said(), await new.hears_said()] == ["room", "direct"]
                assert await new.asks("get_rooms", "rooms_list") == {"rooms": ["attic"]}
                assert keys.smembers("user:rooms:ana") == {b"attic"}
                assert keys.smembers("room:members:attic") == {b"ana", b"bob"}
                old = await tab("ana").__aenter__()
        await old.closes()


async def test_a_user_whose_last_tab_is_closed_stays_a_member_and_reads_everything_later(
    tab: MakeTab, keys: redis.Redis
) -> None:
    async with tab("bob", room="attic") as bob:
        async with tab("ana", room="attic"), tab("ana"):
            pass
        assert keys.smembers("room:members:attic") == {b"ana", b"bob"}
        await bob.says("while you were away")
        async with tab("ana") as ana:
            page = await ana.asks("get_recent_messages", "recent_messages", room="attic")
            assert page["messages"][0]["payload"]["content"] == "while you were away"
