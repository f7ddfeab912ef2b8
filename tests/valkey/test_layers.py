"""The channel layer: Channels' ordinary API, and receivers that do not hold each other up."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from channels.layers import get_channel_layer

from aleatoria.valkey.events import Event
from aleatoria.valkey.layer import ChannelLayer
from tests.conftest import MakeTab

PATIENCE = 5.0
BACKLOG_EVENTS = 1000


@pytest_asyncio.fixture
async def layer(tab: MakeTab) -> AsyncIterator[ChannelLayer]:
    """The one of this process."""
    layer: ChannelLayer = get_channel_layer()
    yield layer
    await layer.flush()


class Receiver:
    """A sink that remembers, and that takes nothing while its gate is closed."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.overflows, self.poison = 0, ""
        self.gate = asyncio.Event()
        self.gate.set()
        self._news = asyncio.Event()

    async def sink(self, event: Event) -> None:
        await self.gate.wait()
        if event["said"] == self.poison:
            raise OSError("this receiver is gone")
        self.heard.append(event["said"])
        self._news.set()

    def overflow(self) -> None:
        self.overflows += 1

    async def hears(self, said: str) -> None:
        """Returns when this has been heard."""
        async with asyncio.timeout(PATIENCE):
            while said not in self.heard:
                self._news.clear()
                await self._news.wait()


async def join(layer: ChannelLayer, group: str) -> tuple[str, Receiver]:
    """A new receiver in a group."""
    channel, receiver = await layer.new_channel(), Receiver()
    layer.attach(channel, receiver.sink, receiver.overflow)
    await layer.group_add(group, channel)
    return channel, receiver


async def say(layer: ChannelLayer, group: str, said: str) -> None:
    await layer.group_send(group, {"type": "test.said", "said": said})


async def next_of(layer: ChannelLayer, channel: str) -> Any:
    return (await asyncio.wait_for(layer.receive(channel), PATIENCE))["said"]


# Channels' own API


async def test_what_is_sent_to_a_channel_is_received_there_in_order(layer: ChannelLayer) -> None:
    one, other = await layer.new_channel(), await layer.new_channel()
    assert one != other
    event = {"type": "test.said", "said": "a", "nested": {"list": [1, 2.5, None, True, "ü"]}}
    await layer.send(one, event)
    await layer.send(one, {"type": "test.said", "said": "b"})
    await layer.send(other, {"type": "test.said", "said": "c"})
    assert await asyncio.wait_for(layer.receive(one), PATIENCE) == event
    assert [await next_of(layer, one), await next_of(layer, other)] == ["b", "c"]


async def test_a_group_reaches_its_members_and_nobody_else(layer: ChannelLayer) -> None:
    ana, bob, eve = [await layer.new_channel() for _ in range(3)]
    for channel in (ana, bob):
        await layer.group_add("attic", channel)
    await layer.group_add("cellar", eve)
    event = {"type": "test.said", "said": "up here", "nested": {"list": [1, 2.5, None, True, "ü"]}}
    await layer.group_send("attic", event)
    await say(layer, "cellar", "down here")
    for channel in (ana, bob):
        assert await asyncio.wait_for(layer.receive(channel), PATIENCE) == event
    assert await next_of(layer, eve) == "down here"


async def test_being_added_twice_is_the_same(layer: ChannelLayer) -> None:
    channel = await layer.new_channel()
    for _ in range(2):
        await layer.group_add("attic", channel)
    for said in ("a", "b"):
        await say(layer, "attic", said)
    assert [await next_of(layer, channel), await next_of(layer, channel)] == ["a", "b"]


async def test_who_is_discarded_hears_no_more_and_the_others_do(layer: ChannelLayer) -> None:
    (gone, leaver), (_, stayer) = await join(layer, "attic"), await join(layer, "attic")
    await say(layer, "attic", "a")
    await stayer.hears("a")
    await layer.group_discard("attic", gone)
    await say(layer, "attic", "b")
    await stayer.hears("b")
    assert leaver.heard == ["a"]
    await layer.group_add("attic", gone)
    await say(layer, "attic", "c")
    await leaver.hears("c")
    assert leaver.heard == ["a", "c"]


async def test_discarding_where_one_never_was_changes_nothing(layer: ChannelLayer) -> None:
    channel = await layer.new_channel()
    await layer.group_discard("attic", channel)
    await layer.group_discard("attic", "specific.nobody")
    _, receiver = await join(layer, "attic")
    await say(layer, "attic", "a")
    await receiver.hears("a")


async def test_sending_to_nobody_is_no_error(layer: ChannelLayer) -> None:
    await say(layer, "nobody here", "a")
    await layer.send("specific.nobody", {"type": "test.said", "said": "a"})


async def test_a_closed_channel_hears_no_more(layer: ChannelLayer) -> None:
    (gone, leaver), (_, stayer) = await join(layer, "attic"), await join(layer, "attic")
    await layer.close_channel(gone)
    await layer.close_channel(gone)
    await say(layer, "attic", "a")
    await stayer.hears("a")
    assert leaver.heard == []


async def test_a_group_knows_whether_it_has_members(layer: ChannelLayer) -> None:
    assert not await layer.has_members("attic")
    channel, _ = await join(layer, "attic")
    assert await layer.has_members("attic")
    await layer.close_channel(channel)
    assert not await layer.has_members("attic")


async def test_a_queue_that_nobody_reads_is_bounded(layer: ChannelLayer) -> None:
    channel = await layer.new_channel()
    for number in range(BACKLOG_EVENTS + 5):
        await layer.send(channel, {"type": "test.said", "said": str(number)})
    assert [await next_of(layer, channel) for _ in range(BACKLOG_EVENTS)] == [
        str(number) for number in range(BACKLOG_EVENTS)
    ]
    await layer.send(channel, {"type": "test.said", "said": "again"})
    assert await next_of(layer, channel) == "again"


# Sinks


async def test_all_hear_a_group_in_the_same_order_whoever_speaks(layer: ChannelLayer) -> None:
    receivers = [(await join(layer, "attic"))[1] for _ in range(5)]

    async def speak(name: str) -> None:
        for number in range(50):
            await say(layer, "attic", f"{name}{number}")

    await asyncio.gather(*(speak(name) for name in "abcd"))
    await say(layer, "attic", "end")
    for receiver in receivers:
        await receiver.hears("end")
        assert receiver.heard == receivers[0].heard
        assert len(receiver.heard) == 201


async def test_one_who_blocks_holds_up_nobody_and_misses_nothing(layer: ChannelLayer) -> None:
    (_, slow), (_, quick) = await join(layer, "attic"), await join(layer, "attic")
    slow.gate.clear()
    for number in range(100):
        await say(layer, "attic", str(number))
    await quick.hears("99")
    assert slow.heard == []
    slow.gate.set()
    await slow.hears("99")
    assert slow.heard == quick.heard == [str(number) for number in range(100)]
    assert slow.overflows == 0


async def test_what_comes_while_one_catches_up_waits_its_turn(layer: ChannelLayer) -> None:
    channel, slow = await join(layer, "attic")
    for number in range(20):
        slow.gate.clear()
        await layer.send(channel, {"type": "test.said", "said": f"{number}a"})
        slow.gate.set()
        for name in "bc":  # the gate is open, but `a` has not been through it yet
            await layer.send(channel, {"type": "test.said", "said": f"{number}{name}"})
        if number % 2:
            await slow.hears(f"{number}c")
    await slow.hears("19c")
    assert slow.heard == [f"{number}{name}" for number in range(20) for name in "abc"]


async def test_one_who_blocks_past_the_bound_is_reported_and_the_others_hear_everything(layer: ChannelLayer) -> None:
    (channel, stuck), (_, quick) = await join(layer, "attic"), await join(layer, "attic")
    stuck.gate.clear()
    for number in range(BACKLOG_EVENTS + 1):  # one with the sink, the others behind it
        await say(layer, "attic", str(number))
    await quick.hears(str(BACKLOG_EVENTS))
    assert stuck.overflows == 0
    await say(layer, "attic", "one too many")
    await quick.hears("one too many")
    assert stuck.overflows == 1
    await layer.close_channel(channel)
    stuck.gate.set()
    await say(layer, "attic", "and on")
    await quick.hears("and on")
    assert stuck.heard == []


@pytest.mark.parametrize("blocked", [False, True], ids=["at once", "later"])
async def test_one_who_fails_concerns_nobody_else(layer: ChannelLayer, *, blocked: bool) -> None:
    (_, broken), (_, sound) = await join(layer, "attic"), await join(layer, "attic")
    broken.poison = "poison"
    if blocked:
        broken.gate.clear()
    await say(layer, "attic", "poison")
    broken.gate.set()
    await say(layer, "attic", "a")
    await sound.hears("a")


async def test_who_has_just_left_a_group_is_no_member_whatever_else_comes_and_goes(layer: ChannelLayer) -> None:
    for number in range(100):
        (leaving, _), (other, _) = await join(layer, f"left-{number}"), await join(layer, f"other-{number}")
        await layer.close_channel(leaving)
        # Another one's coming makes this process talk to Valkey about its subscriptions at this very moment.
        coming = asyncio.ensure_future(layer.group_add(f"new-{number}", other))
        assert not await layer.has_members(f"left-{number}")
        await coming
        assert await layer.has_members(f"new-{number}")
