"""With whom a user has conversations, and what they have not read yet."""

import redis

from aleatoria.wire import clock
from tests.conftest import MakeTab
from tests.support.histories import ANA_AND_BOB
from tests.support.tab import Frame, Tab

DAY = 24 * 60 * 60 * 1000


async def conversations(tab: Tab) -> list[tuple[str, str, int]]:
    """With whom, what was said last, how many are unread."""
    listed: list[Frame] = (await tab.asks("get_conversations", "conversations_list"))["conversations"]
    return [(one["withUser"], one["lastMessage"]["payload"]["content"], one["unread"]) for one in listed]


async def write(tab: Tab, to: str, *contents: str) -> None:
    """Direct messages, each acknowledged."""
    for content in contents:
        await tab.writes(to, content)
        await tab.hears("chat_message")


async def test_they_are_listed_newest_first_also_those_that_began_while_one_was_away(tab: MakeTab) -> None:
    async with tab("bob") as bob, tab("eve") as eve:
        await write(bob, "ana", "1", "2")
        await write(eve, "ana", "3")
        async with tab("ana") as ana:
            assert await conversations(ana) == [("eve", "3", 1), ("bob", "2", 2)]
            await write(ana, "bob", "4")
            assert await conversations(ana) == [("bob", "4", 2), ("eve", "3", 1)]
            await bob.hears("chat_message")
            assert await conversations(bob) == [("ana", "4", 1)]


async def test_the_last_message_is_the_one_that_was_sent(tab: MakeTab) -> None:
    async with tab("bob") as bob, tab("ana") as ana:
        await bob.writes("ana", "hello")
        sent = await ana.hears("chat_message")
        (listed,) = (await ana.asks("get_conversations", "conversations_list"))["conversations"]
        assert listed["lastMessage"] == {name: value for name, value in sent.items() if name != "incoming"}


async def test_what_one_has_read_is_no_longer_unread(tab: MakeTab) -> None:
    async with tab("bob") as bob, tab("eve") as eve, tab("ana") as ana:
        await write(bob, "ana", "1", "2")
        await write(eve, "ana", "3")
        await ana.heard()
        await ana.sends("mark_read", payload={"withUser": "bob"})
        await write(bob, "ana", "4")
        await ana.hears("chat_message")
        unread = {other: count for other, _, count in await conversations(ana)}
        assert (unread["bob"], unread["eve"]) == (1, 1)


async def test_what_one_says_oneself_is_never_unread_whatever_it_claims(tab: MakeTab) -> None:
    async with tab("ana") as ana:
        await ana.writes("bob", '"fromUser":"bob"')
        await ana.hears("chat_message")
        await ana.writes("ana", "a note")
        await ana.hears("chat_message")
        assert await conversations(ana) == [("ana", "a note", 0), ("bob", '"fromUser":"bob"', 0)]


async def test_a_hundred_unread_messages_are_counted_and_no_more(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await write(ana, "bob", "first")
        now = clock.now()
        ANA_AND_BOB.plant(keys, *(ANA_AND_BOB.line(str(n), clock.text(now + n)) for n in range(150)))
        await bob.heard()
        assert ("ana", "149", 100) in await conversations(bob)


async def test_marking_read_what_is_not_leaves_nothing(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana:
        await ana.sends("mark_read", payload={"withUser": "nobody"})
        assert (await ana.asks("mark_read", "error", payload={"withUser": "no:body"}))["code"] == "invalid_field"
        assert keys.exists("user:read:ana") == 0


async def test_they_go_with_their_messages(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await write(ana, "bob", "hello")
        await bob.hears("chat_message")
        await bob.sends("mark_read", payload={"withUser": "ana"})
        await bob.asks("get_rooms", "rooms_list")
        for name in ("user:dms:ana", "user:dms:bob", "user:read:bob"):
            assert DAY - 10_000 < keys.pttl(name) <= DAY
        keys.delete("dm:ana:bob")
        assert await conversations(bob) == []
