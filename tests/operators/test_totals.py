"""What all processes have counted in an hour and in a day, and what each of them says of itself."""

import asyncio
import gc
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import redis

from aleatoria.operators import stats, totals
from aleatoria.operators.stats import Process, Total
from aleatoria.valkey.health import State
from tests.conftest import MakeServer, MakeTab
from tests.support.calls import meet
from tests.support.here import here, link
from tests.support.processes import ValkeyProcess
from tests.support.stopped_clock import stop_clock
from tests.support.waiting import until
from tests.support.wire import Wire

SECOND, DAY = 1000, 24 * 3600 * 1000
Flush = Callable[[], Awaitable[None]]


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ValkeyProcess]:
    """A Valkey that the test may do anything to."""
    with ValkeyProcess(tmp_path) as process:
        yield process


@pytest.fixture
def valkey_process(mortal: ValkeyProcess) -> ValkeyProcess:
    """The one that `tab` is connected to."""
    return mortal


@pytest.fixture
async def flush(tab: MakeTab, keys: redis.Redis) -> Flush:
    """Adds what is counted from now on."""
    await here().totals.flush()
    keys.flushall()
    return here().totals.flush


def counted(told: Sequence[Total], what: str) -> int:
    """How often: two hours or two days, so that a test may run at midnight."""
    return sum(total.counts.get(what, 0) for total in told)


def both(client: redis.Redis, what: str) -> tuple[int, int]:
    """What was counted in the hours, and in the days."""
    return counted(stats.hours(client, 2), what), counted(stats.days(client, 2), what)


async def test_what_happens_is_in_the_totals_of_its_hour_and_its_day(
    tab: MakeTab, flush: Flush, keys: redis.Redis
) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        for content in ("one", "two", "three"):
            await ana.says(content)
            await ana.hears("chat_message")
        await bob.writes("bob", "a note")
        await bob.hears_until("a note")
        await bob.asks("get_recent_messages", "recent_messages", room="attic")
        await meet(ana, bob)
        await flush()
    assert both(keys, "messages") == (3, 3)
    assert both(keys, "connections") == (2, 2)
    assert both(keys, "matches") == (1, 1)
    assert both(keys, "histories found") == (1, 1)
    # A note, and the fence before the call.
    assert both(keys, "direct messages") == (2, 2)
    waits = [what for total in stats.days(keys, 2) for what in total.counts if what.startswith("waits:")]
    assert len(waits) == 1
    assert both(keys, waits[0]) == (1, 1)


async def test_only_what_is_new_is_added(tab: MakeTab, flush: Flush, keys: redis.Redis) -> None:
    async with tab("ana", room="attic") as ana:
        for expected in (1, 2):
            await ana.says("hello")
            await ana.hears("chat_message")
            for _ in range(3):
                await flush()
            assert both(keys, "messages") == (expected, expected)


async def test_two_at_the_same_time_add_it_once(tab: MakeTab, flush: Flush, keys: redis.Redis) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("hello")
        await ana.hears("chat_message")
        await asyncio.gather(flush(), flush(), flush())
    assert both(keys, "messages") == (1, 1)


async def test_what_others_have_counted_is_added_to(tab: MakeTab, flush: Flush, keys: redis.Redis) -> None:
    now = datetime.now(UTC)
    for key in (totals.hour_key(now), totals.day_key(now)):
        keys.hset(key, mapping={"messages": 40, "what only others count": 7})
        keys.expire(key, 60)
    async with tab("ana", room="attic") as ana:
        await ana.says("hello")
        await ana.hears("chat_message")
        await flush()
    assert both(keys, "messages") == (41, 41)
    assert both(keys, "what only others count") == (7, 7)


async def test_all_of_it_expires(
    tab: MakeTab, flush: Flush, keys: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_clock(monkeypatch, totals)
    async with tab("ana"):
        await flush()
    (hour,) = keys.scan_iter("stats:hour:*")
    (day,) = keys.scan_iter("stats:day:*")
    (process,) = keys.scan_iter("stats:process:*")
    assert 7 * DAY < keys.pttl(hour) <= 8 * DAY
    assert 61 * DAY < keys.pttl(day) <= 62 * DAY
    assert 10 * SECOND < keys.pttl(process) <= 20 * SECOND


async def test_where_nothing_happened_there_is_nothing(tab: MakeTab, flush: Flush, keys: redis.Redis) -> None:
    await flush()
    assert list(keys.scan_iter("stats:hour:*")) == []
    assert [total.counts for total in stats.hours(keys, 3)] == [{}, {}, {}]


async def test_hours_and_days_are_given_in_order_with_the_running_one_at_the_end(
    tab: MakeTab, keys: redis.Redis
) -> None:
    hours, days = stats.hours(keys, 25), stats.days(keys, 40)
    assert {later.since - earlier.since for earlier, later in pairwise(hours)} == {timedelta(hours=1)}
    assert {later.since - earlier.since for earlier, later in pairwise(days)} == {timedelta(days=1)}
    assert days[-1].since.hour == hours[-1].since.minute == 0
    assert timedelta(0) <= datetime.now(UTC) - hours[-1].since < timedelta(hours=2)


# What a process says of itself


async def test_a_process_says_who_and_how_busy_it_is(tab: MakeTab, flush: Flush, keys: redis.Redis) -> None:
    async with tab("ana", room="attic"), tab("ana", room="cellar"), tab("bob", room="cellar"):
        await flush()
        (process,) = stats.processes(keys)
    assert (process.host, process.pid) == (socket.gethostname(), os.getpid())
    assert process.version
    assert (process.sockets, process.users, process.rooms) == (3, 2, 2)
    await flush()
    assert stats.processes(keys) == [Process(process.host, process.pid, process.version)]


async def test_one_that_says_nothing_for_a_while_is_no_more(tab: MakeTab, flush: Flush, keys: redis.Redis) -> None:
    await flush()
    (process,) = keys.scan_iter("stats:process:*")
    keys.pexpire(process, 1)
    while keys.exists(process):
        await asyncio.sleep(0)
    assert stats.processes(keys) == []
    await flush()
    assert len(stats.processes(keys)) == 1


async def test_a_server_that_stops_loses_nothing_it_has_counted(server: MakeServer, keys: redis.Redis) -> None:
    with server() as one:
        async with Wire(one.url, "ana", room="attic") as ana:
            for number in range(20):
                await ana.says(str(number))
                await ana.hears("chat_message")
        pid = one.pid
    assert both(keys, "messages") == (20, 20)
    assert both(keys, "connections") == (1, 1)
    (process,) = stats.processes(keys)
    assert (process.pid, process.sockets) == (pid, 0)


# While Valkey is away


async def test_what_is_counted_while_valkey_is_away_is_added_later(
    tab: MakeTab, flush: Flush, mortal: ValkeyProcess
) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("before")
        await ana.hears("chat_message")
        mortal.kill()
        await until(State.DOWN, 2)
        await ana.says("meanwhile")
        await ana.hears("chat_message")
        await flush()
        mortal.start()
        await until(State.UP, 3)
        await flush()
    assert both(mortal.client, "messages") == (2, 2)


async def test_what_valkey_refuses_to_add_is_added_later(tab: MakeTab, flush: Flush, mortal: ValkeyProcess) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("hello")
        await ana.hears("chat_message")
        mortal.client.config_set("maxmemory", "1")
        await flush()
        await flush()
        assert both(mortal.client, "messages") == (0, 0)
        mortal.client.config_set("maxmemory", "0")
        await until(State.UP, 3)
        await flush()
    assert both(mortal.client, "messages") == (1, 1)


async def test_a_connection_that_fails_just_then_loses_nothing_and_is_complained_about_once(
    tab: MakeTab, flush: Flush, mortal: ValkeyProcess, caplog: pytest.LogCaptureFixture
) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("hello")
        await ana.hears("chat_message")
        mortal.client.client_kill_filter(_id=await link().execute("CLIENT", "ID"))
        await flush()
        gc.collect()  # whose answers nobody has taken are reported when they go
        assert link().health.state is State.DOWN
        await until(State.UP, 3)
        await flush()
    assert both(mortal.client, "messages") == (1, 1)
    assert [record.levelname for record in caplog.records if record.levelname != "INFO"] == ["WARNING"]
