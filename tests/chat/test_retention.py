"""How long and how much is kept: each message for its own time, and never more than so many."""

import asyncio
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from aleatoria.valkey.publication import Publication
from chat.store.direct_history import DirectHistory
from chat.store.room_history import RoomHistory
from tests.conftest import MakeTab
from tests.support.here import link
from tests.support.histories import ANA_AND_BOB, ATTIC, History, contents, moment, wire

HISTORIES = pytest.mark.parametrize("history", [ATTIC, ANA_AND_BOB], ids=["room", "conversation"])
TTL = timedelta(seconds=1)
A_WHILE = 2.5
LONG_AGO = "1999-12-31T23:59:59.000000Z"


def steps(seconds: float) -> Iterator[int]:
    """Numbers, for so long."""
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        yield number
        number += 1


def ago(span: timedelta) -> str:
    """Then, as the protocol writes it."""
    return wire(datetime.now(UTC) - span)


@HISTORIES
async def test_where_people_talk_all_the_time_nothing_outlives_its_time(
    tab: MakeTab, keys: redis.Redis, settings: Any, history: History
) -> None:
    settings.MESSAGE_TTL = TTL
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        first = (await history.say(ana, "first"))["createTime"]
        for number in steps(A_WHILE):
            await history.say(ana, f"a{number}")
            await history.from_the_other_side().say(bob, f"b{number}")
            expired, long_expired = ago(TTL), ago(TTL + timedelta(seconds=1))
            for query in ({"limit": 200}, {"limit": 200, "after": first}, {"limit": 200, "before": ago(TTL / 2)}):
                page = await history.page(ana, **query)
                assert all(message["createTime"] >= expired for message in page["messages"])
            assert all(message["createTime"] >= long_expired for message in history.kept(keys))
            await asyncio.sleep(0.02)
        newest = (await history.page(ana, after=ago(TTL / 2)))["messages"]
        assert contents(newest)[-1] == f"b{number}"


@HISTORIES
async def test_where_nobody_talks_any_more_the_key_goes_by_itself(
    tab: MakeTab, keys: redis.Redis, settings: Any, history: History
) -> None:
    settings.MESSAGE_TTL = TTL
    async with tab("ana", room="attic") as ana:
        await history.say(ana, "last words")
        assert 0 < keys.pttl(history.key) <= 1000


@HISTORIES
async def test_what_has_expired_is_not_read_even_where_it_has_not_been_dropped(
    tab: MakeTab, keys: redis.Redis, settings: Any, history: History
) -> None:
    expired = ago(timedelta(minutes=61))
    times = {"1st expired": expired, "2nd expired": expired}
    times |= {"old": ago(timedelta(minutes=59)), "new": ago(timedelta(minutes=1))}
    history.plant(keys, *(history.line(content, created) for content, created in times.items()))
    async with tab("ana", room="attic") as ana:
        back = await history.page(ana, before=ago(-timedelta(minutes=1)), limit=2)
        on = await history.page(ana, after=ago(timedelta(hours=2)), limit=1)
        settings.MESSAGE_TTL = timedelta(hours=1)
        behind_back = await history.page(ana, cursor=back["cursor"])
        assert (behind_back["messages"], behind_back["hasMore"]) == ([], False)
        assert contents(on["messages"]) == ["1st expired"]
        assert contents((await history.page(ana, cursor=on["cursor"]))["messages"]) == ["old", "new"]
        for query in ({}, {"after": ago(timedelta(hours=2))}):
            page = await history.page(ana, **query)
            assert sorted(contents(page["messages"])) == ["new", "old"]
            assert page["hasMore"] is False
        assert (await history.page(ana, before=times["old"]))["messages"] == []
        assert len(history.kept(keys)) == 4


@HISTORIES
async def test_what_is_said_drops_what_has_expired(
    tab: MakeTab, keys: redis.Redis, settings: Any, history: History
) -> None:
    settings.MESSAGE_TTL = timedelta(hours=1)
    minutes = [90, 75, 61, 59]
    history.plant(keys, *(history.line(str(age), ago(timedelta(minutes=age))) for age in minutes))
    async with tab("ana", room="attic") as ana:
        await history.say(ana, "news")
    assert contents(history.kept(keys)) == ["59", "news"]


@HISTORIES
async def test_a_history_is_capped_and_keeps_the_newest(
    tab: MakeTab, keys: redis.Redis, settings: Any, history: History
) -> None:
    settings.ROOM_HISTORY_MAX = 5
    history.plant(keys, *(history.line(f"old{number}", moment(number)) for number in range(20)))
    async with tab("ana", room="attic") as ana:
        for number in range(4):
            await history.say(ana, f"new{number}")
        expected = ["old19", "new0", "new1", "new2", "new3"]
        assert contents(history.kept(keys)) == expected
        assert sorted(contents((await history.page(ana))["messages"])) == sorted(expected)


@HISTORIES
async def test_what_arrives_out_of_order_is_kept_in_the_order_of_time(
    tab: MakeTab, keys: redis.Redis, history: History
) -> None:
    order = list(range(60))
    random.shuffle(order)
    for number in order:
        line = history.line(f"{number:02}", moment(number))
        if history is ATTIC:
            micros = round(datetime.fromisoformat(moment(number)).timestamp() * 1_000_000)
            await RoomHistory(link()).append("attic", line, Publication(b"nowhere", b""), micros=micros, mark=None)
        else:
            await DirectHistory(link()).append("bob", "ana", line, [], created=moment(number), mark=None)
    async with tab("ana", room="attic") as ana:
        said = [f"{number:02}" for number in range(60)]
        assert contents((await history.page(ana, after=moment(-1), limit=200))["messages"]) == said
        assert contents(history.kept(keys)) == said


@HISTORIES
async def test_a_time_that_a_client_claims_moves_nothing(tab: MakeTab, keys: redis.Redis, history: History) -> None:
    claims = {"createTime": LONG_AGO, f'x","createTime":"{LONG_AGO}","y': 1}
    async with tab("ana", room="attic") as ana:
        await history.say(ana, "first", **claims)
        await ana.sends("chat_message", createTime=LONG_AGO, payload={"content": "second"}, **history.to)
        await ana.hears("chat_message")
        await history.say(ana, "third")
        assert contents(history.kept(keys)) == ["first", "second", "third"]
        assert contents((await history.page(ana, after=ago(timedelta(minutes=1))))["messages"]) == [
            "first",
            "second",
            "third",
        ]
