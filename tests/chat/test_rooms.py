"""Rooms: who hears what."""

from tests.conftest import MakeTab


async def test_everybody_in_a_room_hears_a_message_the_sender_too(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        await ana.says("hello", messageId="m1")
        for one in (ana, bob):
            heard = await one.hears("chat_message")
            assert heard["fromUser"] == "ana"
            assert heard["room"] == "attic"
            assert heard["messageId"] == "m1"
            assert heard["payload"] == {"content": "hello"}


async def test_a_stranger_is_told_to_join_first(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana, tab("eve", room="cellar") as eve:
        await eve.says("let me in", room="attic", messageId="m1")
        refused = (await eve.hears("error"))["payload"]
        assert refused["code"] == "not_in_room"
        assert refused["error"] == "You're not in this room. Join it first."
        assert refused["inReplyTo"] == "m1"
        await ana.hears_nothing()


async def test_one_who_joins_hears_from_then_on_and_joining_again_is_the_same(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana, tab("bob") as bob:
        for _ in range(2):
            assert await bob.asks("join_room", "room_joined", room="attic") == {"room": "attic", "action": "joined"}
        await ana.says("welcome")
        assert await bob.hears_said() == "welcome"
        await bob.hears_nothing()


async def test_one_who_leaves_hears_no_more_and_may_say_no_more(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        assert await bob.asks("leave_room", "room_left", room="attic") == {"room": "attic", "action": "left"}
        await ana.says("where is bob?")
        await ana.hears("chat_message")
        await bob.hears_nothing()
        assert (await bob.asks("chat_message", "error", room="attic", payload={"content": "?"}))[
            "code"
        ] == "not_in_room"


async def test_rooms_are_listed_in_order(tab: MakeTab) -> None:
    async with tab("ana", room="zoo") as ana:
        await ana.asks("join_room", "room_joined", room="attic")
        assert await ana.asks("get_rooms", "rooms_list") == {"rooms": ["attic", "zoo"]}


async def test_who_comes_without_a_room_is_in_the_default_one(tab: MakeTab) -> None:
    async with tab("ana") as ana:
        assert await ana.asks("get_rooms", "rooms_list") == {"rooms": ["lobby"]}


async def test_a_user_who_comes_back_is_in_their_rooms_without_joining(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.asks("join_room", "room_joined", room="zoo")
    async with tab("ana") as ana, tab("bob", room="zoo") as bob:
        await bob.says("still here?", room="zoo")
        assert await ana.hears_said() == "still here?"
        assert await ana.asks("get_rooms", "rooms_list") == {"rooms": ["attic", "zoo"]}


async def test_a_room_left_stays_left_after_a_reconnect(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.asks("join_room", "room_joined", room="zoo")
        await ana.asks("leave_room", "room_left", room="attic")
    async with tab("ana") as ana:
        assert await ana.asks("get_rooms", "rooms_list") == {"rooms": ["zoo"]}


async def test_two_spellings_of_one_name_are_one_room(tab: MakeTab) -> None:
    async with tab("ana", room="cafe\u0301") as ana, tab("bob", room="caf\u00e9") as bob:
        await bob.says("same place", room="cafe\u0301")
        assert await ana.hears_said() == "same place"
