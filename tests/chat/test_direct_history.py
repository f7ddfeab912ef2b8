"""Direct messages: who hears them, and what was said, asked for over a socket."""

from typing import Any

import pytest
import redis

from tests.conftest import MakeTab
from tests.support.histories import ANA_AND_BOB, ATTIC, LIMITS, NONSENSE, SAME_MOMENT, contents, moment

BOB_AND_ANA = ANA_AND_BOB.from_the_other_side()


def plant(keys: redis.Redis, count: int) -> None:
    """Messages `0` to `count - 1`, a microsecond apart."""
    ANA_AND_BOB.plant(keys, *(ANA_AND_BOB.line(str(number), moment(number)) for number in range(count)))


# Delivery


async def test_a_direct_message_comes_in_for_one_and_goes_out_for_the_other(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await ana.writes("bob", "psst")
        sent, received = await ana.hears("chat_message"), await bob.hears("chat_message")
        assert (sent.pop("incoming"), received.pop("incoming")) == (False, True)
        assert sent == received
        assert (sent["fromUser"], sent["toUser"], sent["payload"]) == ("ana", "bob", {"content": "psst"})


@pytest.mark.parametrize("given", ['x,"payload":{}', '","payload":{"content":"fake"},"x":"', "\\", "é€😀", "\x00\n"])
async def test_the_copies_are_the_message_whatever_its_id_is(tab: MakeTab, given: str) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await ana.sends("chat_message", toUser="bob", messageId=given, payload={"content": "psst"})
        for one, incoming in ((ana, False), (bob, True)):
            frame = await one.hears("chat_message")
            assert (frame["messageId"], frame["incoming"], frame["payload"]) == (given, incoming, {"content": "psst"})


async def test_every_tab_of_both_gets_it_once_and_nobody_else_does(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("ana") as ana_too, tab("bob") as bob, tab("bob") as bob_too, tab("eve") as eve:
        await ana.writes("bob", "psst")
        for one, incoming in ((ana, False), (ana_too, False), (bob, True), (bob_too, True)):
            frame = await one.hears("chat_message")
            assert (frame["payload"]["content"], frame["incoming"]) == ("psst", incoming)
        assert await eve.heard() == []
        for one in (ana, bob):
            await one.hears_nothing()


async def test_a_message_to_oneself_comes_once_a_tab_and_is_kept_once(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("ana") as ana_too:
        await ana.writes("ana", "milk")
        await ana.writes("ana", "eggs")
        for one in (ana, ana_too):
            assert [await one.hears_said(), await one.hears_said()] == ["milk", "eggs"]
        page = await ana.asks("get_direct_messages", "direct_messages", payload={"withUser": "ana"})
        assert contents(page["messages"]) == ["milk", "eggs"]


@pytest.mark.parametrize("other", ["a:b", "bob:", "system", "b b", "-bob", "b" * 65, "bob/eve"])
async def test_an_id_that_cannot_be_is_refused(tab: MakeTab, keys: redis.Redis, other: str) -> None:
    async with tab("ana") as ana:
        for refused in (
            await ana.asks("chat_message", "error", toUser=other, payload={"content": "psst"}),
            await ana.asks("get_direct_messages", "error", payload={"withUser": other}),
        ):
            assert refused["code"] == "invalid_field"
        assert keys.keys("dm:*") == []


@pytest.mark.parametrize("other", ["b", "0", "b.o~b@c+d-e_f", "B" * 64])
async def test_any_id_of_the_grammar_has_its_conversation(tab: MakeTab, keys: redis.Redis, other: str) -> None:
    async with tab("ana") as ana, tab(other) as bob:
        await ana.writes(other, "psst")
        assert await bob.hears_said() == "psst"
        await bob.writes("ana", "what?")
        assert await bob.hears_said() == "what?"
        first, second = sorted(["ana", other])
        assert keys.keys("dm:*") == [f"dm:{first}:{second}".encode()]


# Histories


async def test_what_is_written_to_somebody_away_is_there_when_they_come(tab: MakeTab) -> None:
    async with tab("ana") as ana:
        sent = await ANA_AND_BOB.say(ana, "call me")
        assert sent["incoming"] is False
    async with tab("bob") as bob:
        page = await BOB_AND_ANA.page(bob)
        assert contents(page["messages"]) == ["call me"]
        assert page["messages"][0]["messageId"] == sent["messageId"]
        assert page["messages"][0]["createTime"] == sent["createTime"]
        assert page["withUser"] == "ana"


async def test_both_read_the_same_oldest_first(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await ANA_AND_BOB.say(ana, "1")
        await BOB_AND_ANA.say(bob, "2", mood={"of": ["the", 2.5, None]})
        await ANA_AND_BOB.say(ana, "3")
        of_ana, of_bob = await ANA_AND_BOB.page(ana), await BOB_AND_ANA.page(bob)
        assert contents(of_ana["messages"]) == ["1", "2", "3"]
        assert of_ana["messages"] == of_bob["messages"]
        assert [message["fromUser"] for message in of_ana["messages"]] == ["ana", "bob", "ana"]
        assert of_ana["messages"][1]["payload"] == {"content": "2", "mood": {"of": ["the", 2.5, None]}}


async def test_each_conversation_is_its_own(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("eve") as eve:
        await ana.writes("bob", "about eve")
        await ana.writes("eve", "about bob")
        assert contents((await ANA_AND_BOB.page(ana))["messages"]) == ["about eve"]
        await eve.hears("chat_message")
        assert (await eve.asks("get_direct_messages", "direct_messages", payload={"withUser": "bob"}))["messages"] == []


@pytest.mark.parametrize(("query", "count"), LIMITS.values(), ids=LIMITS.keys())
async def test_a_limit_is_kept_between_1_and_200_and_the_last_are_given(
    tab: MakeTab, keys: redis.Redis, query: dict[str, Any], count: int
) -> None:
    plant(keys, 201)
    async with tab("ana") as ana:
        page = await ANA_AND_BOB.page(ana, **query)
        assert contents(page["messages"]) == [str(number) for number in range(201 - count, 201)]
        assert page["hasMore"] is True


@pytest.mark.parametrize("time", SAME_MOMENT.values(), ids=SAME_MOMENT.keys())
async def test_before_and_after_leave_the_moment_itself_out(tab: MakeTab, keys: redis.Redis, time: str) -> None:
    plant(keys, 6)
    async with tab("ana") as ana:
        assert contents((await ANA_AND_BOB.page(ana, before=time))["messages"]) == ["0", "1", "2"]
        assert contents((await ANA_AND_BOB.page(ana, before=time, limit=2))["messages"]) == ["1", "2"]
        assert contents((await ANA_AND_BOB.page(ana, after=time))["messages"]) == ["4", "5"]
        assert contents((await ANA_AND_BOB.page(ana, after=time, limit=1))["messages"]) == ["4"]


async def test_a_nanosecond_makes_a_difference(tab: MakeTab, keys: redis.Redis) -> None:
    plant(keys, 6)
    async with tab("ana") as ana:
        a_nanosecond_later = moment(3).replace("Z", "001Z")
        assert contents((await ANA_AND_BOB.page(ana, before=a_nanosecond_later))["messages"]) == ["0", "1", "2", "3"]
        a_nanosecond_earlier = moment(2).replace("Z", "999Z")
        assert contents((await ANA_AND_BOB.page(ana, after=a_nanosecond_earlier))["messages"]) == ["3", "4", "5"]


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999999-23:59"])
async def test_the_ends_of_time_are_moments_too(tab: MakeTab, keys: redis.Redis, time: str) -> None:
    plant(keys, 2)
    expected = [[], ["0", "1"]] if time.startswith("0001") else [["0", "1"], []]
    async with tab("ana") as ana:
        pages = [await ANA_AND_BOB.page(ana, before=time), await ANA_AND_BOB.page(ana, after=time)]
        assert [contents(page["messages"]) for page in pages] == expected


async def test_a_cursor_leads_back_page_by_page_each_oldest_first(tab: MakeTab, keys: redis.Redis) -> None:
    plant(keys, 8)
    async with tab("ana") as ana:
        page = await ANA_AND_BOB.page(ana, limit=3)
        assert (contents(page["messages"]), page["hasMore"]) == (["5", "6", "7"], True)
        page = await ANA_AND_BOB.page(ana, limit=3, cursor=page["cursor"])
        assert (contents(page["messages"]), page["hasMore"]) == (["2", "3", "4"], True)
        page = await ANA_AND_BOB.page(ana, limit=3, cursor=page["cursor"])
        assert (contents(page["messages"]), page["hasMore"]) == (["0", "1"], False)


async def test_a_cursor_leads_on_and_finds_later_what_was_not_there_before(tab: MakeTab, keys: redis.Redis) -> None:
    plant(keys, 6)
    async with tab("ana") as ana:
        page = await ANA_AND_BOB.page(ana, limit=2, after=moment(1))
        assert (contents(page["messages"]), page["hasMore"]) == (["2", "3"], True)
        page = await ANA_AND_BOB.page(ana, limit=2, cursor=page["cursor"])
        assert (contents(page["messages"]), page["hasMore"]) == (["4", "5"], False)
        page = await ANA_AND_BOB.page(ana, limit=2, cursor=page["cursor"])
        assert (page["messages"], page["hasMore"]) == ([], False)
        await ANA_AND_BOB.say(ana, "news")
        assert contents((await ANA_AND_BOB.page(ana, cursor=page["cursor"]))["messages"]) == ["news"]


@pytest.mark.parametrize("query", NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_is_refused_and_the_socket_stays(tab: MakeTab, query: dict[str, Any]) -> None:
    async with tab("ana") as ana:
        assert await ANA_AND_BOB.refusal(ana, **query) == "invalid_field"
        assert (await ANA_AND_BOB.page(ana))["messages"] == []


@pytest.mark.parametrize("payload", [{}, {"withUser": None}, {"withUser": ""}, {"withUser": 7}, {"withUser": ["bob"]}])
async def test_a_history_with_nobody_is_refused(tab: MakeTab, payload: dict[str, Any]) -> None:
    async with tab("ana") as ana:
        refused = await ana.asks("get_direct_messages", "error", messageId="m1", payload=payload)
        assert (refused["code"], refused["inReplyTo"]) == ("invalid_field", "m1")


async def test_a_cursor_of_a_room_is_none_of_a_conversation(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        await ATTIC.say(ana, "hello")
        page = await ATTIC.page(ana)
        assert await ANA_AND_BOB.refusal(ana, cursor=page["cursor"]) == "invalid_field"
