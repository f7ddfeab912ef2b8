"""A message sent again under the same `messageId` counts once."""

import asyncio

import pytest
import redis

from tests.conftest import MakeServer, MakeTab
from tests.support.histories import ANA_AND_BOB, ATTIC, History
from tests.support.tab import Frame
from tests.support.wire import Wire

HISTORIES = pytest.mark.parametrize("history", [ATTIC, ANA_AND_BOB], ids=["room", "conversation"])


def said(frame: Frame) -> tuple[str, str, str]:
    """What tells one message from another."""
    return frame["messageId"], frame["createTime"], frame["payload"]["content"]


@HISTORIES
async def test_it_is_kept_and_broadcast_once_and_each_time_answered_with_the_first_copy(
    tab: MakeTab, keys: redis.Redis, history: History
) -> None:
    async with tab("bob", room="attic") as bob, tab("ana", room="attic") as ana:
        await ana.sends("chat_message", messageId="m1", payload={"content": "once"}, **history.to)
        first = await ana.hears("chat_message")
        for _ in range(9):
            await ana.sends("chat_message", messageId="m1", payload={"content": "once"}, **history.to)
            assert await ana.hears("chat_message") == first
        assert said(await bob.hears("chat_message")) == said(first)
        await bob.hears_nothing()
        assert len(history.kept(keys)) == 1


async def test_ten_times_over_three_connections_on_two_processes_it_counts_once(
    server: MakeServer, keys: redis.Redis
) -> None:
    with server("one") as one, server("other") as other:
        async with (
            Wire(one.url, "bob", room="attic") as bob,
            Wire(one.url, "ana", room="attic") as first,
            Wire(other.url, "ana", room="attic") as second,
            Wire(other.url, "ana", room="attic") as third,
        ):
            tabs = [first, second, third]
            sending = [tabs[number % 3].says("once", messageId="m1") for number in range(10)]
            await asyncio.gather(*sending)
            heard = [frame for tab in tabs for frame in await tab.heard() if frame["messageId"] == "m1"]
            # The broadcast reaches each of the three; nine repeats are answered where they came from.
            assert len(heard) == 3 + 9
            assert len({said(frame) for frame in heard}) == 1
            assert len(await bob.heard()) == 1
            assert keys.zcard("room:messages:attic") == 1


async def test_another_user_may_use_the_same_id(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        await ana.says("from ana", messageId="m1")
        assert await bob.hears_said() == "from ana"
        await bob.says("from bob", messageId="m1")
        assert await bob.hears_said() == "from bob"


@pytest.mark.parametrize(
    "other",
    [{"room": "attic", "payload": {"content": "different"}}, {"room": "zoo", "payload": {"content": "once"}}],
    ids=["other words", "another room"],
)
async def test_an_id_that_was_used_for_another_message_is_refused(tab: MakeTab, other: Frame) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.asks("join_room", "room_joined", room="zoo")
        await ana.says("once", messageId="m1")
        await ana.hears("chat_message")
        await ana.sends("chat_message", messageId="m1", **other)
        refused = await ana.hears("error")
        assert (refused["payload"]["code"], refused["payload"]["inReplyTo"]) == ("invalid_field", "m1")


async def test_it_is_remembered_for_five_minutes(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("once", messageId="a:b")
        await ana.hears("chat_message")
        assert 290_000 < keys.pttl("sent:ana:a:b") <= 300_000


async def test_what_the_server_named_itself_leaves_no_mark(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("once")
        await ana.hears("chat_message")
        assert list(keys.scan_iter(match="sent:*")) == []


async def test_what_failed_may_be_sent_again(tab: MakeTab, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tab("ana", room="attic") as ana:
        with monkeypatch.context() as patch:
            patch.setattr("chat.services.messages.Messages.keep_in_room", lambda *_, **__: 1 / 0)
            await ana.says("once", messageId="m1")
            await ana.hears("error")
        await ana.says("once", messageId="m1")
        assert await ana.hears_said() == "once"


async def test_what_was_refused_may_be_sent_again(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("once", room="zoo", messageId="m1")
        await ana.hears("error")
        await ana.asks("join_room", "room_joined", room="zoo")
        await ana.says("once", room="zoo", messageId="m1")
        assert await ana.hears_said() == "once"
