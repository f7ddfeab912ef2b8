"""What was said in a room, asked for over a socket."""

from typing import Any

import pytest
import redis

from tests.conftest import MakeTab
from tests.support.histories import ATTIC, LIMITS, NONSENSE, SAME_MOMENT, contents, moment


def plant(keys: redis.Redis, count: int) -> None:
    """Messages `0` to `count - 1`, a microsecond apart."""
    ATTIC.plant(keys, *(ATTIC.line(str(number), moment(number)) for number in range(count)))


async def test_a_room_remembers_newest_first_and_word_for_word(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        heard = [await ATTIC.say(ana, "eins"), await ATTIC.say(ana, "zwei ✓", mood={"of": ["the", 2.5, None]})]
        page = await ATTIC.page(ana)
        assert page["messages"] == heard[::-1]
        assert page["room"] == "attic"
        assert page["hasMore"] is False
        assert "degraded" not in page


async def test_the_answer_names_the_room_and_comes_from_the_system(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.sends("get_recent_messages", room="attic")
        frame = await ana.hears("recent_messages")
        assert (frame["room"], frame["fromUser"]) == ("attic", "system")
        assert frame["payload"] == {"room": "attic", "messages": [], "hasMore": False}


async def test_each_room_remembers_its_own(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.asks("join_room", "room_joined", room="cellar")
        await ana.says("up here", room="attic")
        await ana.says("down here", room="cellar")
        assert contents((await ATTIC.page(ana))["messages"]) == ["up here"]


async def test_one_who_joins_later_reads_what_was_said_before(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        await ATTIC.say(ana, "first")
    async with tab("bob", room="attic") as bob:
        assert contents((await ATTIC.page(bob))["messages"]) == ["first"]


@pytest.mark.parametrize(("query", "count"), LIMITS.values(), ids=LIMITS.keys())
async def test_a_limit_is_kept_between_1_and_200(
    tab: MakeTab, keys: redis.Redis, query: dict[str, Any], count: int
) -> None:
    plant(keys, 201)
    async with tab("ana", room="attic") as ana:
        page = await ATTIC.page(ana, **query)
        assert contents(page["messages"]) == [str(number) for number in range(200, 200 - count, -1)]
        assert page["hasMore"] is True


@pytest.mark.parametrize("time", SAME_MOMENT.values(), ids=SAME_MOMENT.keys())
async def test_before_gives_what_is_older_without_the_moment_itself(tab: MakeTab, keys: redis.Redis, time: str) -> None:
    plant(keys, 6)
    async with tab("ana", room="attic") as ana:
        assert contents((await ATTIC.page(ana, before=time))["messages"]) == ["2", "1", "0"]
        assert contents((await ATTIC.page(ana, before=time, limit=2))["messages"]) == ["2", "1"]


@pytest.mark.parametrize("time", SAME_MOMENT.values(), ids=SAME_MOMENT.keys())
async def test_after_gives_what_is_newer_oldest_first_without_the_moment_itself(
    tab: MakeTab, keys: redis.Redis, time: str
) -> None:
    plant(keys, 6)
    async with tab("ana", room="attic") as ana:
        assert contents((await ATTIC.page(ana, after=time))["messages"]) == ["4", "5"]
        assert contents((await ATTIC.page(ana, after=time, limit=1))["messages"]) == ["4"]


async def test_a_nanosecond_makes_a_difference(tab: MakeTab, keys: redis.Redis) -> None:
    plant(keys, 6)
    async with tab("ana", room="attic") as ana:
        a_nanosecond_later = moment(3).replace("Z", "001Z")
        assert contents((await ATTIC.page(ana, before=a_nanosecond_later))["messages"]) == ["3", "2", "1", "0"]
        a_nanosecond_earlier = moment(2).replace("Z", "999Z")
        assert contents((await ATTIC.page(ana, after=a_nanosecond_earlier))["messages"]) == ["3", "4", "5"]


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999999-23:59"])
async def test_the_ends_of_time_are_moments_too(tab: MakeTab, keys: redis.Redis, time: str) -> None:
    plant(keys, 2)
    expected = [[], ["0", "1"]] if time.startswith("0001") else [["1", "0"], []]
    async with tab("ana", room="attic") as ana:
        pages = [await ATTIC.page(ana, before=time), await ATTIC.page(ana, after=time)]
        assert [contents(page["messages"]) for page in pages] == expected


async def test_a_cursor_leads_back_until_there_is_no_more(tab: MakeTab, keys: redis.Redis) -> None:
    plant(keys, 8)
    async with tab("ana", room="attic") as ana:
        page = await ATTIC.page(ana, limit=3)
        assert (contents(page["messages"]), page["hasMore"]) == (["7", "6", "5"], True)
        page = await ATTIC.page(ana, limit=3, cursor=page["cursor"])
        assert (contents(page["messages"]), page["hasMore"]) == (["4", "3", "2"], True)
        page = await ATTIC.page(ana, limit=3, cursor=page["cursor"])
        assert (contents(page["messages"]), page["hasMore"]) == (["1", "0"], False)


async def test_a_cursor_leads_on_and_finds_later_what_was_not_there_before(tab: MakeTab, keys: redis.Redis) -> None:
    plant(keys, 6)
    async with tab("ana", room="attic") as ana:
        page = await ATTIC.page(ana, limit=2, after=moment(1))
        assert (contents(page["messages"]), page["hasMore"]) == (["2", "3"], True)
        page = await ATTIC.page(ana, limit=2, cursor=page["cursor"])
        assert (contents(page["messages"]), page["hasMore"]) == (["4", "5"], False)
        page = await ATTIC.page(ana, limit=2, cursor=page["cursor"])
        assert (page["messages"], page["hasMore"]) == ([], False)
        await ATTIC.say(ana, "news")
        assert contents((await ATTIC.page(ana, cursor=page["cursor"]))["messages"]) == ["news"]


@pytest.mark.parametrize("query", NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_is_refused_and_the_socket_stays(tab: MakeTab, query: dict[str, Any]) -> None:
    async with tab("ana", room="attic") as ana:
        assert await ATTIC.refusal(ana, **query) == "invalid_field"
        assert (await ATTIC.page(ana))["messages"] == []


async def test_a_cursor_of_a_conversation_is_none_of_a_room(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.writes("ana", "note to self")
        await ana.hears("chat_message")
        page = await ana.asks("get_direct_messages", "direct_messages", payload={"withUser": "ana"})
        assert await ATTIC.refusal(ana, cursor=page["cursor"]) == "invalid_field"


async def test_a_history_without_a_room_is_refused(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        refused = await ana.asks("get_recent_messages", "error", messageId="m1", payload={"limit": 5})
        assert (refused["code"], refused["inReplyTo"]) == ("invalid_field", "m1")


async def test_a_stranger_learns_nothing(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana, tab("eve", room="cellar") as eve:
        await ATTIC.say(ana, "secret")
        assert await ATTIC.refusal(eve) == "not_in_room"


async def test_one_who_has_left_is_a_stranger(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.asks("leave_room", "room_left", room="attic")
        assert await ATTIC.refusal(ana) == "not_in_room"


async def test_what_a_stranger_said_is_not_kept(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana, tab("eve", room="cellar") as eve:
        await eve.says("let me in", room="attic")
        await eve.hears("error")
        assert (await ATTIC.page(ana))["messages"] == []
