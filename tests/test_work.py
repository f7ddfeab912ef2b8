"""How much work a message is, counted instead of timed: what would make it slow fails here, on any machine."""

import asyncio
import gc
import tracemalloc
from contextlib import AsyncExitStack
from typing import Any

import pytest
import redis

from aleatoria.servers import frames
from aleatoria.valkey import pipeline
from aleatoria.wire import envelope
from tests.conftest import MakeTab
from tests.support.tab import Tab

MESSAGES, MEMBERS = 50, 20


async def crowd(stack: AsyncExitStack, tab: MakeTab, count: int) -> list[Tab]:
    """So many users in one room."""
    return [await stack.enter_async_context(tab(f"user{number}", room="attic")) for number in range(count)]


async def talk(tabs: list[Tab]) -> None:
    """The first one says something, heard by all, again and again."""
    for number in range(MESSAGES):
        await tabs[0].says(str(number))
        for one in tabs:
            assert await one.hears_said() == str(number)


def commands(keys: redis.Redis) -> dict[str, int]:
    """How often Valkey has been asked for what from outside, and did what in scripts."""
    stats: dict[str, Any] = keys.info("commandstats")
    return {name.removeprefix("cmdstat_"): int(one["calls"]) for name, one in stats.items()}


def counting_tasks() -> list[str]:
    """What the tasks run that are created from now on, until the loop's task factory is taken away."""
    created: list[str] = []

    def counting(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> "asyncio.Task[Any]":
        created.append(work.__qualname__)
        return asyncio.Task(work, loop=loop, **options)

    asyncio.get_running_loop().set_task_factory(counting)
    return created


def count_encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The types of what is encoded from now on."""
    encoded: list[str] = []
    encode = envelope.encode

    def counted(message: envelope.Envelope) -> str:
        encoded.append(message.type)
        return encode(message)

    monkeypatch.setattr(envelope, "encode", counted)
    return encoded


async def test_a_room_message_is_one_command_and_one_round_trip(tab: MakeTab, keys: redis.Redis) -> None:
    async with AsyncExitStack() as stack:
        tabs = await crowd(stack, tab, 5)
        before, flights = commands(keys), sum(pipeline._BATCH.counts)
        await talk(tabs)
        after, flown = commands(keys), sum(pipeline._BATCH.counts)
        grown = {name: count - before.get(name, 0) for name, count in after.items()}
        # The watchdog and its chores have their own, a few a second.
        assert grown["evalsha"] <= MESSAGES * 1.2 + 10
        assert grown["publish"] <= MESSAGES * 1.2
        assert flown - flights <= MESSAGES * 1.2 + 10
        # In the script: keep it, let it expire, cap it, publish it; the rest is done once a second.
        assert sum(grown.get(name, 0) for name in ("zadd", "pexpire", "zremrangebyrank", "publish")) <= MESSAGES * 4.4


async def test_a_broadcast_is_encoded_once_and_all_receivers_get_the_very_same_text(
    tab: MakeTab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as stack:
        tabs = await crowd(stack, tab, MEMBERS)
        encoded = count_encoded(monkeypatch)
        await tabs[0].says("hello")
        texts = [await one.hears_text() for one in tabs]
        assert encoded == ["chat_message"]
        assert len({id(text) for text in texts}) == 1


async def test_a_direct_message_is_encoded_once(tab: MakeTab, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        encoded = count_encoded(monkeypatch)
        await ana.writes("bob", "hello")
        for one in (ana, bob):
            await one.hears("chat_message")
        assert encoded == ["chat_message"]


async def test_a_direct_message_goes_to_valkey_once(tab: MakeTab, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    post = pipeline.Pipeline.post

    def noting(self: pipeline.Pipeline, call: pipeline.PendingCommand) -> None:
        sent.extend(call.command)
        post(self, call)

    async with tab("ana") as ana, tab("bob") as bob:
        monkeypatch.setattr(pipeline.Pipeline, "post", noting)
        await ana.writes("bob", "something quite unmistakable")
        await bob.hears("chat_message")
        assert sum("unmistakable" in str(part) for part in sent) == 1


async def test_a_connection_takes_few_commands_and_few_tasks(tab: MakeTab, keys: redis.Redis) -> None:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(tab("ana", room="attic"))
        before, created = commands(keys), counting_tasks()
        try:
            for number in range(20):
                await stack.enter_async_context(tab(f"user{number}", room="attic"))
        finally:
            asyncio.get_running_loop().set_task_factory(None)
        grown = {name: count - before.get(name, 0) for name, count in commands(keys).items()}
        # Each comes online, renews the rooms, and joins one. The user's sockets and those who watch the room are told.
        assert grown["evalsha"] <= 20 * 3 + 10
        assert grown["smembers"] <= 20 + 1
        assert grown["publish"] <= 20 * 2
        assert grown["subscribe"] <= 20
        flights, lives = created.count("Pipeline._fly"), created.count("ProtocolTypeRouter.__call__")
        assert flights <= 20 * 6
        assert lives == 20
        # One that enters, and one for what it hears before it is open. The tests' own is the queue.
        ours = len(created) - flights - lives - created.count("Queue.get")
        assert ours <= 20 * 2, sorted(set(created))


def test_a_websocket_frame_is_made_once_a_broadcast() -> None:
    text = "a text that nobody else has"
    assert frames.frame_of(text) is frames.frame_of(text)


async def test_a_message_takes_few_tasks_however_many_hear_it(tab: MakeTab) -> None:
    async with AsyncExitStack() as stack:
        tabs = await crowd(stack, tab, MEMBERS)
        created = counting_tasks()
        try:
            await talk(tabs)
        finally:
            asyncio.get_running_loop().set_task_factory(None)
        # The tests' own wait_for makes one for each frame it waits for.
        ours = [name for name in created if "hears_text" not in name and "Queue.get" not in name]
        assert len(ours) <= MESSAGES * 3.5, sorted(set(ours))


async def test_a_delivery_allocates_little_however_long_the_message(tab: MakeTab) -> None:
    async with AsyncExitStack() as stack:
        tabs = await crowd(stack, tab, MEMBERS)
        await tabs[0].says("warm up")
        for one in tabs:
            await one.hears_said()
        gc.collect()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            await tabs[0].says("x" * 4000)
            await tabs[-1].heard()  # all of it has been handed out, and waits in the tabs
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert grown / MEMBERS < 2000, "the text is there more than once"
