"""The link and its watchdog: how long they wait, what they notice by themselves, and how they end."""

import asyncio
import time

import pytest

from aleatoria.valkey import link as module
from aleatoria.valkey.health import State
from aleatoria.valkey.link import Link
from aleatoria.valkey.pipeline import Unavailable
from aleatoria.valkey.script import Script
from tests.conftest import MakeTab
from tests.support.here import link
from tests.support.outages import empty, fill_up, mortal, valkey_process
from tests.support.processes import ValkeyProcess
from tests.support.waiting import soon, until

__all__ = ["mortal", "valkey_process"]  # fixtures
PATIENCE = 5.0


async def test_the_first_ones_wait_half_a_second_for_a_valkey_that_hangs(tab: MakeTab, mortal: ValkeyProcess) -> None:
    await link().stop()
    mortal.hang()
    began = time.monotonic()
    await link().start()
    assert 0.3 < time.monotonic() - began < 3
    assert link().health.state is State.UNKNOWN
    mortal.go_on()
    await until(State.UP, PATIENCE)


async def test_a_link_that_starts_anew_knows_nothing_of_before(tab: MakeTab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_WITHIN", PATIENCE)
    link().health.back_at = time.time()
    await link().stop()
    assert (link().health.state, link().health.back_at) == (State.UNKNOWN, 0)
    with pytest.raises(Unavailable):
        await link().execute("PING")
    await link().start()
    assert link().health.state is State.UP
    assert await link().execute("PING") == b"PONG"


async def test_a_valkey_that_has_just_started_knows_all_scripts(tab: MakeTab, mortal: ValkeyProcess) -> None:
    digests = [script.sha for script in Script.all]
    assert digests
    assert mortal.client.script_exists(*digests) == [True] * len(digests)
    mortal.kill()
    await until(State.DOWN, PATIENCE)
    mortal.start()
    await until(State.UP, PATIENCE)
    assert mortal.client.script_exists(*digests) == [True] * len(digests)


async def test_one_that_hangs_is_noticed_though_nobody_says_anything(tab: MakeTab, mortal: ValkeyProcess) -> None:
    mortal.hang()
    await until(State.DOWN, PATIENCE)
    mortal.go_on()
    await until(State.UP, PATIENCE)


async def test_one_that_is_full_is_noticed_though_nobody_says_anything(tab: MakeTab, mortal: ValkeyProcess) -> None:
    fill_up(mortal.client)
    await until(State.READ_ONLY, PATIENCE)
    assert await link().execute("PING") == b"PONG"
    empty(mortal.client)
    await until(State.UP, PATIENCE)


async def test_one_that_is_full_is_noticed_by_who_writes_nothing_at_all(mortal: ValkeyProcess) -> None:
    one = Link(mortal.address)
    try:
        await one.start()
        await soon(lambda: one.health.state is State.UP)
        fill_up(mortal.client)
        await soon(lambda: one.health.state is State.READ_ONLY)
        empty(mortal.client)
        await soon(lambda: one.health.state is State.UP)
    finally:
        await one.stop()


async def test_once_it_is_away_whoever_waits_is_told_at_once(tab: MakeTab) -> None:
    under_way = link().execute("PING")
    link().health.down(OSError("gone"))
    assert not link().subscriber.live
    for answer in (under_way, link().execute("PING")):
        assert isinstance(answer.exception(), Unavailable)
    await until(State.UP, PATIENCE)


async def test_while_it_is_away_no_command_waits_for_it(tab: MakeTab, mortal: ValkeyProcess) -> None:
    mortal.kill()
    await until(State.DOWN, PATIENCE)
    answer = link().execute("PING")
    assert answer.done()
    assert isinstance(answer.exception(), Unavailable)
    assert not link().subscriber.live


async def test_a_watchdog_that_fails_is_noticed_and_goes_on(
    tab: MakeTab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failed = asyncio.Event()

    async def fails(deadline: float) -> None:
        failed.set()
        raise ValueError("a fault of our own")

    monkeypatch.setattr(link().subscriber, "ping", fails)
    await asyncio.wait_for(failed.wait(), PATIENCE)
    await until(State.DOWN, PATIENCE)
    monkeypatch.undo()
    await until(State.UP, PATIENCE)
    assert "watching Valkey failed" in caplog.text


async def test_what_was_published_is_heard_when_all_is_heard(tab: MakeTab, mortal: ValkeyProcess) -> None:
    heard: list[bytes] = []
    link().subscriber.on_message = lambda channel, data: heard.append(data)
    await link().subscriber.want(b"a channel")
    for number in range(50):
        mortal.client.publish("a channel", number)
    assert heard == []
    await link().all_heard()
    assert len(heard) == 50
