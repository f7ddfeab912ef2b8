"""The layers of two processes on one Valkey: what crosses, and what must not."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
import redis
from channels.layers import get_channel_layer
from pytest_django import Settings

from aleatoria.valkey.events import Event
from aleatoria.valkey.layer import ChannelLayer, announce
from aleatoria.valkey.link import Link
from aleatoria.valkey.pipeline import Unavailable
from tests.conftest import MakeTab
from tests.support.here import link
from tests.support.processes import ValkeyProcess

PATIENCE = 5.0


class Process(ChannelLayer):
    """The layer of a process with a link of its own."""

    def __init__(self, process: ValkeyProcess) -> None:
        self.link = Link(process.address)
        super().__init__(self.link)


@asynccontextmanager
async def running(process: ValkeyProcess) -> AsyncIterator[Process]:
    """One that is connected."""
    layer = Process(process)
    await layer.link.start()
    deadline = time.monotonic() + PATIENCE
    while not layer.link.health.writable:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    yield layer
    await layer.link.stop()


@pytest_asyncio.fixture
async def here(tab: MakeTab) -> AsyncIterator[ChannelLayer]:
    """The one of this process."""
    layer: ChannelLayer = get_channel_layer()
    yield layer
    await layer.flush()


@pytest_asyncio.fixture
async def there(here: ChannelLayer, valkey_process: ValkeyProcess) -> AsyncIterator[Process]:
    """That of another process of the same installation."""
    async with running(valkey_process) as layer:
        yield layer


@pytest_asyncio.fixture
async def elsewhere(here: ChannelLayer, valkey_process: ValkeyProcess, settings: Settings) -> AsyncIterator[Process]:
    """That of another installation on the same Valkey."""
    settings.REDIS_DB = 1
    layer = Process(valkey_process)
    settings.REDIS_DB = 0
    await layer.link.start()
    yield layer
    await layer.link.stop()


class Member:
    """One in the attic, and what they have heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def sink(self, event: Event) -> None:
        self.heard.append(event["said"])

    async def hears(self, *said: str) -> None:
        """Return when just this has been heard; fail when anything else is."""
        deadline = time.monotonic() + PATIENCE
        while self.heard != list(said):
            assert time.monotonic() < deadline, self.heard
            await asyncio.sleep(0.01)


async def enter(layer: ChannelLayer) -> Member:
    """A new one in the attic."""
    channel, member = await layer.new_channel(), Member()
    layer.attach(channel, member.sink, lambda: None)
    await layer.group_add("attic", channel)
    return member


def saying(said: str) -> Event:
    """An event that says this."""
    return {"type": "test.said", "said": said}


async def test_what_is_said_as_soon_as_one_has_entered_is_heard(here: ChannelLayer, there: Process) -> None:
    for number in range(20):
        member = await enter(here)
        await there.group_send("attic", saying(str(number)))
        await member.hears(str(number))
        await here.flush()


async def test_one_may_send_to_a_single_channel_of_the_other_process(here: ChannelLayer, there: Process) -> None:
    channel = await there.new_channel()
    receiving = asyncio.create_task(there.receive(channel))
    deadline = time.monotonic() + PATIENCE
    while not receiving.done():  # what comes before it has subscribed is for nobody
        assert time.monotonic() < deadline
        await here.send(channel, saying("psst"))
        await asyncio.sleep(0.01)
    assert (await receiving)["said"] == "psst"


async def test_a_group_has_members_wherever_they_are(here: ChannelLayer, there: Process) -> None:
    assert not await here.has_members("attic")
    await enter(there)
    assert await here.has_members("attic")
    assert not await here.has_members("cellar")


async def test_what_the_other_process_has_sent_counts_for_nothing_here(
    here: ChannelLayer, there: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = await enter(here)
    for number in range(3):
        await there.group_send("attic", saying(str(number)))
    await member.hears("0", "1", "2")
    execute = link().execute

    async def loses_what_is_published(*command: Any) -> Any:
        if command[0] == "PUBLISH":
            raise Unavailable
        return await execute(*command)

    monkeypatch.setattr(link(), "execute", loses_what_is_published)
    await here.group_send("attic", saying("the first one of this process"))
    await member.hears("0", "1", "2", "the first one of this process")


async def test_after_an_outage_of_one_the_other_is_heard_as_before(here: ChannelLayer, there: Process) -> None:
    member = await enter(here)
    for number in range(3):
        await here.group_send("attic", saying(str(number)))
    await member.hears("0", "1", "2")
    link().health.down(OSError("gone"))
    deadline = time.monotonic() + PATIENCE
    while not link().health.writable:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    await there.group_send("attic", saying("the first one of the other"))
    await member.hears("0", "1", "2", "the first one of the other")


# Two installations


async def test_another_installation_hears_nothing_and_is_not_heard(
    here: ChannelLayer, there: Process, elsewhere: Process
) -> None:
    one, other, stranger = await enter(here), await enter(there), await enter(elsewhere)
    await elsewhere.group_send("attic", saying("over here"))
    await stranger.hears("over here")
    await here.group_send("attic", saying("hello"))
    for member in (one, other):
        await member.hears("hello")
    await elsewhere.group_send("attic", saying("and out"))
    await stranger.hears("over here", "and out")


async def test_another_installation_is_no_member(here: ChannelLayer, elsewhere: Process) -> None:
    await enter(elsewhere)
    assert not await here.has_members("attic")


async def test_an_announcement_is_for_its_own_installation(
    here: ChannelLayer, there: Process, elsewhere: Process, keys: redis.Redis, settings: Settings
) -> None:
    one, other, stranger = await enter(here), await enter(there), await enter(elsewhere)
    announce(keys, "attic", saying("all of you"))
    for member in (one, other):
        await member.hears("all of you")
    settings.REDIS_DB = 1
    announce(keys, "attic", saying("you over there"))
    await stranger.hears("you over there")
