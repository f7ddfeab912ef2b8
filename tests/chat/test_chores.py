"""What a node does for chat by itself, every now and then, without anybody asking."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
import redis
from django.conf import settings

from aleatoria import node as nodes
from aleatoria.node import Node
from aleatoria.valkey.layer import ChannelLayer
from aleatoria.valkey.link import Link
from aleatoria.wire.chores import Chores
from aleatoria.wire.host import Host
from chat import install
from chat.services import presence, sweep
from chat.store.presence import GRACE, LEASE
from tests.conftest import MakeTab
from tests.support.audit_cases import LETTERS, LINES, LONG_AGO
from tests.support.histories import ANA_AND_BOB, ATTIC
from tests.support.processes import ValkeyProcess
from tests.support.tab import Frame
from tests.support.waiting import soon

HOUR = 3_600_000
MEMBERSHIP = ("room:members:attic", "user:rooms:ana")
ONLINE = "users:online"


@pytest_asyncio.fixture
async def node(
    keys: redis.Redis, valkey_process: ValkeyProcess, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Node]:
    """A node like that of other tests, whose chores run many times a second."""
    for module, period in ((install, "RENEW_EVERY"), (presence, "RENEW_EVERY"), (sweep, "EVERY")):
        monkeypatch.setattr(module, period, 0.05)
    here = nodes.use(Node(valkey_process.address))
    await here.start()
    yield here
    await here.stop()


def status(frame: Frame) -> tuple[str, str]:
    """Who is what."""
    return frame["payload"]["userId"], frame["payload"]["status"]


def online_for(keys: redis.Redis, user: str) -> float:
    """Seconds for which a user still counts as online."""
    return float(keys.zscore(ONLINE, user) or 0) - time.time()


# What is done


async def test_who_stays_connected_stays_a_member(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic"):
        for name in MEMBERSHIP:
            keys.pexpire(name, HOUR)
        await soon(lambda: all(keys.pttl(name) > 23 * HOUR for name in MEMBERSHIP))


async def test_who_stays_connected_stays_a_member_of_rooms_joined_later(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.asks("join_room", "room_joined", room="zoo")
        keys.pexpire("room:members:zoo", HOUR)
        await soon(lambda: keys.pttl("room:members:zoo") > 23 * HOUR)


async def test_who_is_not_connected_is_a_member_for_no_longer_than_before(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic"):
        pass
    async with tab("bob", room="attic"):
        for name in MEMBERSHIP:
            keys.pexpire(name, HOUR)
        await soon(lambda: keys.pttl("room:members:attic") > 23 * HOUR)
        assert keys.pttl("user:rooms:ana") <= HOUR


async def test_who_stays_connected_stays_online(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic"):
        keys.zadd(ONLINE, {"ana": time.time() + 10})
        await soon(lambda: online_for(keys, "ana") > LEASE - 3)


async def test_who_was_taken_for_gone_and_is_connected_is_told_to_be_back(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic"), tab("bob", room="attic") as bob:
        await bob.asks("hello", "welcome", payload={"events": ["presence"]})
        keys.zrem(ONLINE, "ana")
        assert status(await bob.hears("user_status")) == ("ana", "online")
        await bob.hears_nothing()


async def test_who_has_gone_is_told_to_be_offline_once(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        await bob.asks("hello", "welcome", payload={"events": ["presence"]})
        await ana.closes()
        keys.zadd(ONLINE, {"ana": time.time() - 1})
        assert status(await bob.hears("user_status")) == ("ana", "offline")
        await bob.hears_nothing()
        assert keys.zscore(ONLINE, "ana") is None


async def test_what_has_expired_goes_where_nobody_speaks(tab: MakeTab, keys: redis.Redis) -> None:
    for history in (ATTIC, ANA_AND_BOB):
        history.plant(keys, history.line("old", LONG_AGO))
    await soon(lambda: not keys.exists(LINES, LETTERS))


async def test_who_has_been_away_for_too_long_is_taken_out(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic"):
        keys.sadd("room:members:attic", "zoe")
        await soon(lambda: keys.smembers("room:members:attic") == {b"ana"})


# And when


class Noted(Chores):
    """Chores that are noted with their periods."""

    def __init__(self) -> None:
        super().__init__()
        self.periods: dict[Callable[[], Awaitable[None]], float] = {}

    def every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        self.periods[work] = seconds


def test_each_chore_runs_often_enough(valkey_process: ValkeyProcess) -> None:
    link, noted = Link(valkey_process.address), Noted()
    people = install.install(Host(link, ChannelLayer(link), noted))
    assert noted.periods[people.renew_memberships] * 20 < settings.MEMBERSHIP_TTL.total_seconds()
    assert noted.periods[people.renew_presence] * 2 < LEASE
    assert noted.periods[people.renew_presence] < GRACE
    assert noted.periods[people.sweep_presence] <= 1
    assert noted.periods[people.chat.sweep] <= 1


def test_nor_does_one_run_all_the_time(valkey_process: ValkeyProcess) -> None:
    link, noted = Link(valkey_process.address), Noted()
    people = install.install(Host(link, ChannelLayer(link), noted))
    assert noted.periods[people.renew_memberships] >= 600
    assert noted.periods[people.renew_presence] >= 5
    assert noted.periods[people.sweep_presence] >= 0.5
    assert noted.periods[people.chat.sweep] >= 0.5


async def test_who_comes_counts_as_online_for_as_long_as_a_crash_may_go_unnoticed(
    tab: MakeTab, keys: redis.Redis
) -> None:
    async with tab("ana", room="attic"):
        assert 20 < online_for(keys, "ana") <= 25
