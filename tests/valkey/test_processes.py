"""Two server processes on one Valkey are one chat."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.processes import ValkeyProcess
from tests.support.serving import Serving
from tests.support.wire import Wire

MESSAGES = 60


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair(
    tmp_path_factory: pytest.TempPathFactory, valkey_process: ValkeyProcess
) -> AsyncIterator[tuple[str, str]]:
    """Where the two are reached."""
    where = valkey_process.environment
    directory: Path = tmp_path_factory.mktemp("pair")
    with Serving(directory / "one", **where) as one, Serving(directory / "two", **where) as two:
        yield one.url, two.url


async def test_room_messages_cross(pair: tuple[str, str]) -> None:
    here, there = pair
    async with Wire(here, "ana", room="bridge") as ana, Wire(there, "bob", room="bridge") as bob:
        await ana.says("hello", room="bridge")
        assert [await one.hears_said() for one in (ana, bob)] == ["hello", "hello"]
        await bob.says("hello yourself", room="bridge")
        assert [await one.hears_said() for one in (ana, bob)] == ["hello yourself", "hello yourself"]


async def test_direct_messages_cross(pair: tuple[str, str]) -> None:
    here, there = pair
    async with Wire(here, "ana", path="/ws/chat") as ana, Wire(there, "bob", path="/ws/chat") as bob:
        await ana.writes("bob", "psst")
        sent, received = await ana.hears("chat_message"), await bob.hears("chat_message")
        assert sent == received | {"incoming": False}
        assert received["incoming"] is True


async def test_the_histories_are_the_same_from_either_side(pair: tuple[str, str]) -> None:
    here, there = pair
    async with Wire(here, "ana", room="archive") as ana, Wire(there, "bob", room="archive") as bob:
        await ana.says("for the record", room="archive")
        said = await bob.hears("chat_message")
        answer = await bob.asks("get_recent_messages", "recent_messages", room="archive")
        assert answer["messages"] == [said]


async def test_all_hear_a_room_in_the_same_order_wherever_they_and_the_senders_are(pair: tuple[str, str]) -> None:
    rooms = ("east", "west")
    async with AsyncExitStack() as stack:
        tabs = [
            await stack.enter_async_context(Wire(pair[number % 2], f"user{number}", room=rooms[0]))
            for number in range(6)
        ]
        for tab in tabs:
            await tab.asks("join_room", "room_joined", room=rooms[1])
        await asyncio.gather(*(_talk(tab, rooms) for tab in tabs))
        orders = await asyncio.gather(*(_order(tab, len(tabs) * MESSAGES) for tab in tabs))
    for room in rooms:
        said = [[content for where, content in order if where == room] for order in orders]
        assert all(one == said[0] for one in said)
        assert Counter(said[0]) == Counter(_all_said(tabs, rooms.index(room)))


async def _talk(tab: Wire, rooms: tuple[str, str]) -> None:
    for number in range(MESSAGES):
        await tab.says(f"{tab.user} {number}", room=rooms[number % 2])


async def _order(tab: Wire, count: int) -> list[tuple[str, str]]:
    frames = [await tab.hears("chat_message") for _ in range(count)]
    return [(frame["room"], frame["payload"]["content"]) for frame in frames]


def _all_said(tabs: list[Wire], parity: int) -> list[str]:
    return [f"{tab.user} {number}" for tab in tabs for number in range(parity, MESSAGES, 2)]


async def test_all_tabs_of_two_users_hear_their_conversation_in_the_same_order(pair: tuple[str, str]) -> None:
    async with AsyncExitStack() as stack:
        tabs = [
            await stack.enter_async_context(Wire(pair[number % 2], user))
            for number, user in enumerate(("cleo", "cleo", "dan", "dan"))
        ]
        await asyncio.gather(*(_write(tab, number) for number, tab in enumerate(tabs)))
        heard = [
            [(await tab.hears("chat_message"))["payload"]["content"] for _ in range(len(tabs) * MESSAGES)]
            for tab in tabs
        ]
    assert heard[0] == heard[1]
    assert heard[2] == heard[3]
    assert Counter(heard[0]) == Counter(heard[2])


async def _write(tab: Wire, number: int) -> None:
    other = {"cleo": "dan", "dan": "cleo"}[tab.user]
    for count in range(MESSAGES):
        await tab.writes(other, f"{number} {count}")


async def test_a_room_joined_in_one_process_is_joined_for_the_users_tab_in_the_other(pair: tuple[str, str]) -> None:
    here, there = pair
    async with Wire(here, "eve", room="attic") as one, Wire(there, "eve", room="attic") as other:
        await one.asks("join_room", "room_joined", room="cellar")
        await other.hears_nothing()  # but of the join, ahead of the fence
        await one.says("down here", room="cellar")
        assert await other.hears_said() == "down here"
        assert await other.asks("get_rooms", "rooms_list") == {"rooms": ["attic", "cellar"]}


async def test_a_room_left_in_one_process_is_left_for_the_users_tab_in_the_other(pair: tuple[str, str]) -> None:
    here, there = pair
    async with Wire(here, "fay", room="attic") as one, Wire(there, "fay", room="attic") as other:
        await one.asks("join_room", "room_joined", room="barn")
        await one.asks("leave_room", "room_left", room="barn")
        await other.hears_nothing()
        assert await other.asks("get_rooms", "rooms_list") == {"rooms": ["attic"]}


async def test_two_installations_on_one_valkey_do_not_hear_each_other(
    pair: tuple[str, str], tmp_path: Path, valkey_process: ValkeyProcess
) -> None:
    with Serving(tmp_path, REDIS_DB="1", **valkey_process.environment) as elsewhere:
        async with (
            Wire(pair[0], "gil", room="attic") as here,
            Wire(elsewhere.url, "gil", room="attic") as there,
        ):
            for one, other in ((here, there), (there, here)):
                await one.says("hello")
                assert await one.hears_said() == "hello"
                await other.hears_nothing()
