"""Each event reaches each receiver once and in order, whatever becomes of the publish that carries it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
import redis
from channels.layers import get_channel_layer

from aleatoria.valkey import subscriber
from aleatoria.valkey.channel import Event
from aleatoria.valkey.health import State
from aleatoria.valkey.layer import FRAME, ChannelLayer
from aleatoria.valkey.link import valkey
from aleatoria.valkey.pipeline import Unavailable
from tests.conftest import MakeTab

PATIENCE = 5.0
Send = Callable[[ChannelLayer, str], Awaitable[None]]


@pytest_asyncio.fixture
async def layer(tab: MakeTab) -> AsyncIterator[ChannelLayer]:
    """The one of this process."""
    layer: ChannelLayer = get_channel_layer()
    yield layer
    await layer.flush()


class Socket:
    """A receiver as a socket is one: frames go to its writer, other events to its sink, which waits at a gate."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.writer_is_full = False
        self._news = asyncio.Event()

    async def sink(self, event: Event) -> None:
        await self.gate.wait()
        self._hear(f"{event['text']} by the sink")

    def write(self, text: str) -> bool:
        if not self.writer_is_full:
            self._hear(text)
        return not self.writer_is_full

    async def hears(self, text: str) -> None:
        """Return when this has been heard."""
        async with asyncio.timeout(PATIENCE):
            while text not in self.heard:
                self._news.clear()
                await self._news.wait()

    def _hear(self, text: str) -> None:
        self.heard.append(text)
        self._news.set()


async def enter(layer: ChannelLayer, group: str) -> tuple[str, Socket]:
    """A new receiver in a group."""
    channel, socket = await layer.new_channel(), Socket()
    layer.attach(channel, socket.sink, lambda: None)
    layer.attach_writer(channel, socket.write)
    await layer.group_add(group, channel)
    return channel, socket


async def say(layer: ChannelLayer, text: str) -> None:
    """A frame to the attic."""
    await layer.group_send("attic", {"type": FRAME, "text": text})


# A writer, and a backlog


async def test_a_frame_does_not_overtake_the_events_that_wait(layer: ChannelLayer) -> None:
    (channel, slow), (_, quick) = await enter(layer, "attic"), await enter(layer, "attic")
    slow.gate.clear()
    await layer.send(channel, {"type": "test.said", "text": "an event"})
    for text in ("one", "two"):
        await say(layer, text)
    await quick.hears("two")
    assert slow.heard == []
    slow.gate.set()
    await slow.hears("two by the sink")
    await say(layer, "three")
    await slow.hears("three")
    assert slow.heard == ["an event by the sink", "one by the sink", "two by the sink", "three"]


async def test_a_frame_that_the_writer_does_not_take_goes_to_the_sink(layer: ChannelLayer) -> None:
    _, socket = await enter(layer, "attic")
    socket.writer_is_full = True
    await say(layer, "one")
    await socket.hears("one by the sink")
    socket.writer_is_full = False
    await say(layer, "two")
    await socket.hears("two")


async def test_a_closed_channel_writes_nothing_that_still_comes(layer: ChannelLayer) -> None:
    (channel, gone), (_, stays) = await enter(layer, "attic"), await enter(layer, "attic")
    gone.gate.clear()
    await layer.send(channel, {"type": "test.said", "text": "an event"})
    await layer.close_channel(channel)
    gone.gate.set()
    await say(layer, "one")
    await stays.hears("one")
    assert gone.heard == []


# A publish whose answer is lost


@pytest.fixture
def lost_answers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Valkey does what it is told, and its answers get lost; each command that is a publish."""
    execute, published = valkey.execute, list[tuple[Any, ...]]()

    async def loses_the_answer(*command: Any) -> Any:
        answer = await execute(*command)
        if command[0] != "PUBLISH":
            return answer
        published.append(command)
        await valkey.all_heard()
        raise Unavailable

    monkeypatch.setattr(valkey, "execute", loses_the_answer)
    return published


@pytest.fixture
def lost_publishes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What is published gets lost before Valkey sees it; each such command."""
    execute, published = valkey.execute, list[tuple[Any, ...]]()

    async def loses_it(*command: Any) -> Any:
        if command[0] != "PUBLISH":
            return await execute(*command)
        published.append(command)
        raise Unavailable

    monkeypatch.setattr(valkey, "execute", loses_it)
    return published


async def test_a_message_that_was_heard_is_not_repeated_when_only_the_answer_was_lost(
    layer: ChannelLayer, lost_answers: list[tuple[Any, ...]]
) -> None:
    _, socket = await enter(layer, "attic")
    for text in ("one", "two"):
        await say(layer, text)
    assert len(lost_answers) == 2
    assert socket.heard == ["one", "two"]


async def test_a_message_that_was_not_heard_is_delivered_here(
    layer: ChannelLayer, lost_publishes: list[tuple[Any, ...]]
) -> None:
    _, socket = await enter(layer, "attic")
    for text in ("one", "two"):
        await say(layer, text)
    assert len(lost_publishes) == 2
    assert socket.heard == ["one", "two"]


async def is_up() -> None:
    """Return when Valkey is there."""
    deadline = time.monotonic() + PATIENCE
    while valkey.health.state is not State.UP:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_a_message_from_before_an_outage_is_not_repeated_when_it_comes_after_it(
    layer: ChannelLayer, keys: redis.Redis, lost_publishes: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, socket = await enter(layer, "attic")
    await say(layer, "one")
    monkeypatch.undo()
    valkey.health.down(OSError("gone"))
    await is_up()
    ((_, name, data),) = lost_publishes
    keys.publish(name, data)
    await say(layer, "two")
    await socket.hears("two")
    assert socket.heard == ["one", "two"]


# A step in Valkey that publishes


async def publish(name: bytes, head: bytes) -> None:
    """What a step does in Valkey, and returns when it has been heard here."""
    await valkey.execute("PUBLISH", name, head + b"one")
    await valkey.all_heard()


async def test_a_step_publishes_each_frame_once(layer: ChannelLayer) -> None:
    _, socket = await enter(layer, "attic")

    async def step(name: bytes, head: bytes) -> str:
        await publish(name, head)
        return "done"

    assert await layer.publish_within(step, ("attic", lambda: "one")) == "done"
    assert socket.heard == ["one"]


async def test_a_frame_that_was_heard_is_not_repeated_when_its_step_is_lost(layer: ChannelLayer) -> None:
    _, socket = await enter(layer, "attic")

    async def step(name: bytes, head: bytes) -> str:
        await publish(name, head)
        valkey.subscriber.drop()
        raise Unavailable

    assert await layer.publish_within(step, ("attic", lambda: "one")) is None
    assert socket.heard == ["one"]


async def test_a_frame_that_was_not_heard_is_delivered_here_when_its_step_is_lost(layer: ChannelLayer) -> None:
    _, socket = await enter(layer, "attic")

    async def step(name: bytes, head: bytes) -> str:
        valkey.subscriber.drop()
        raise Unavailable

    assert await layer.publish_within(step, ("attic", lambda: "one")) is None
    assert socket.heard == ["one"]


async def test_a_frame_whose_step_is_refused_is_sent_without_it(layer: ChannelLayer) -> None:
    _, socket = await enter(layer, "attic")

    async def step(name: bytes, head: bytes) -> str:
        raise Unavailable

    assert await layer.publish_within(step, ("attic", lambda: "one")) is None
    await socket.hears("one")
    await say(layer, "two")
    await socket.hears("two")
    assert socket.heard == ["one", "two"]


# Subscriptions


async def is_given_up(keys: redis.Redis) -> None:
    """Return when no process is subscribed to anything; fail when that does not happen."""
    deadline = time.monotonic() + PATIENCE
    while keys.pubsub_channels():
        assert time.monotonic() < deadline, keys.pubsub_channels()
        await asyncio.sleep(0.01)


async def leave(layer: ChannelLayer, channel: str) -> None:
    """Leave the attic."""
    await layer.group_discard("attic", channel)


@pytest.mark.parametrize("go", [leave, ChannelLayer.close_channel], ids=["leaves", "is closed"])
async def test_when_the_last_member_goes_the_process_gives_the_group_up(
    layer: ChannelLayer, keys: redis.Redis, monkeypatch: pytest.MonkeyPatch, go: Send
) -> None:
    monkeypatch.setattr(subscriber, "LINGER", 0.05)
    (first, _), (last, socket) = await enter(layer, "attic"), await enter(layer, "attic")
    await go(layer, first)
    await say(layer, "one")
    await socket.hears("one")
    assert len(keys.pubsub_channels()) == 1
    await go(layer, last)
    await is_given_up(keys)


async def test_a_channel_that_was_received_from_is_given_up_when_it_is_closed(
    layer: ChannelLayer, keys: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber, "LINGER", 0.05)
    channel = await layer.new_channel()
    receiving = asyncio.create_task(layer.receive(channel))
    await layer.send(channel, {"type": "test.said"})
    await receiving
    assert len(keys.pubsub_channels()) == 1
    await layer.close_channel(channel)
    await is_given_up(keys)
