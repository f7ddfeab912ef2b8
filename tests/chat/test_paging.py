"""Paging: each message exactly once, while others write, where times are equal, and whatever the size."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import redis

from tests.conftest import MakeTab
from tests.support.histories import ANA_AND_BOB, ATTIC, History, contents, moment
from tests.support.tab import Frame, Tab

HISTORIES = pytest.mark.parametrize("history", [ATTIC, ANA_AND_BOB], ids=["room", "conversation"])
WRITERS, EACH = 4, 250


async def write(history: History, writer: Tab, name: str) -> None:
    """250 messages, the next when the last has been heard."""
    for number in range(EACH):
        await history.say(writer, f"{name}{number}")


async def pages(history: History, reader: Tab, limit: int, **start: str) -> AsyncIterator[list[Frame]]:
    """Every page from `start` to where there is no more."""
    page = await history.page(reader, limit=limit, **start)
    yield page["messages"]
    while page["hasMore"]:
        page = await history.page(reader, limit=limit, cursor=page["cursor"])
        yield page["messages"]


async def read_back(history: History, reader: Tab, limit: int) -> list[str]:
    """What pages say, from the newest to the oldest."""
    back = [page async for page in pages(history, reader, limit)]
    assert all(len(page) <= limit for page in back)
    newest_first = back if history is ATTIC else [page[::-1] for page in back]
    return contents(message for page in newest_first for message in page)


async def read_on(history: History, reader: Tab, limit: int, after: str) -> list[str]:
    """What pages say, oldest first."""
    return contents([message async for page in pages(history, reader, limit, after=after) for message in page])


async def four_writers(stack: AsyncExitStack, tab: MakeTab, history: History) -> "asyncio.Future[list[None]]":
    """Two tabs each of ana and bob, writing 1000 messages from now on."""
    tabs = [await stack.enter_async_context(tab(user, room="attic")) for user in ("ana", "bob", "ana", "bob")]
    sides = [history, history.from_the_other_side()] * 2
    return asyncio.gather(
        *(write(side, one, name) for side, one, name in zip(sides, tabs, "abcd", strict=True)),
    )


@HISTORIES
async def test_a_thousand_messages_of_four_are_read_once_each_while_they_are_written(
    tab: MakeTab, history: History
) -> None:
    async with AsyncExitStack() as stack:
        reader = await stack.enter_async_context(tab("ana", room="attic"))
        writing = await four_writers(stack, tab, history)
        page = await history.page(reader, after=moment(0), limit=50)
        read, while_writing = contents(page["messages"]), 0
        while len(read) < WRITERS * EACH:
            where = {"cursor": page["cursor"]} if "cursor" in page else {"after": moment(0)}
            while_writing += not writing.done()
            page = await history.page(reader, limit=50, **where)
            read += contents(page["messages"])
        await writing
        assert while_writing > 10
        assert (await history.page(reader, cursor=page["cursor"]))["messages"] == []
        for name in "abcd":
            assert [content for content in read if content[0] == name] == [f"{name}{number}" for number in range(EACH)]
        assert read == (await read_back(history, reader, 200))[::-1]


@HISTORIES
async def test_paging_back_is_not_moved_by_what_is_written_meanwhile(tab: MakeTab, history: History) -> None:
    async with AsyncExitStack() as stack:
        reader = await stack.enter_async_context(tab("ana", room="attic"))
        writing = await four_writers(stack, tab, history)
        while not (first := await history.page(reader, limit=50))["hasMore"]:
            pass
        newest = max(first["messages"], key=lambda message: str(message["createTime"]))
        back = contents(sorted(first["messages"], key=lambda message: str(message["createTime"]), reverse=True))
        page = first
        while page["hasMore"]:
            page = await history.page(reader, limit=50, cursor=page["cursor"])
            back += contents(page["messages"] if history is ATTIC else page["messages"][::-1])
        await writing
        since = await read_on(history, reader, 50, newest["createTime"])
        assert sorted(back + since) == sorted(f"{name}{number}" for name in "abcd" for number in range(EACH))
        assert back[::-1] + since == (await read_back(history, reader, 200))[::-1]


@HISTORIES
@pytest.mark.parametrize("at_once", [1, 4, 60], ids=["all apart", "four at once", "all at once"])
@pytest.mark.parametrize("limit", [1, 3, 4, 7, 59, 60])
async def test_messages_of_one_moment_are_read_once_each(
    tab: MakeTab, keys: redis.Redis, history: History, at_once: int, limit: int
) -> None:
    said = [f"{number:02}" for number in range(60)]
    history.plant(keys, *(history.line(content, moment(int(content) // at_once)) for content in said))
    async with tab("ana", room="attic") as ana:
        assert await read_back(history, ana, limit) == said[::-1]
        assert await read_on(history, ana, limit, moment(-1)) == said


@HISTORIES
async def test_where_the_message_at_the_cursor_was_one_too_many_those_of_its_moment_are_not_passed_over(
    tab: MakeTab, keys: redis.Redis, history: History
) -> None:
    history.plant(keys, *(history.line(content, moment(0)) for content in "abcd"))
    async with tab("ana", room="attic") as ana:
        page = await history.page(ana, after=moment(-1), limit=2)
        assert contents(page["messages"]) == ["a", "b"]
        history.drop_oldest(keys, 2)
        assert contents((await history.page(ana, cursor=page["cursor"]))["messages"]) == ["c", "d"]


@HISTORIES
async def test_a_page_ends_before_it_is_too_large_and_the_next_goes_on(
    tab: MakeTab, keys: redis.Redis, history: History
) -> None:
    history.plant(keys, *(history.line(str(number), moment(number), noise="x" * 60_000) for number in range(10)))
    async with tab("ana", room="attic") as ana:
        assert [len(page) async for page in pages(history, ana, 200)] == [4, 4, 2]
        assert await read_back(history, ana, 200) == [str(number) for number in range(9, -1, -1)]
        assert await read_on(history, ana, 200, moment(-1)) == [str(number) for number in range(10)]


@HISTORIES
async def test_a_message_larger_than_a_page_is_a_page(tab: MakeTab, keys: redis.Redis, history: History) -> None:
    history.plant(keys, *(history.line(str(number), moment(number), noise="x" * 300_000) for number in range(3)))
    async with tab("ana", room="attic") as ana:
        assert [len(page) async for page in pages(history, ana, 200)] == [1, 1, 1]
