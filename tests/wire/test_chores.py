"""Periodic work: when it runs, what happens when it fails, and how it ends."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from aleatoria.telemetry import trace
from aleatoria.wire.chores import Chores
from tests.support.loop_clock import LoopClock, turns


class Work:
    """Work that counts how often it is begun; it may fail, or wait until it is ended."""

    def __init__(self, *, fails: bool = False, waits: bool = False) -> None:
        self.begun = 0
        self.ended = 0
        self._fails = fails
        self._waits = waits

    async def __call__(self) -> None:
        self.begun += 1
        try:
            if self._fails:
                raise RuntimeError("it does not work")
            if self._waits:
                await asyncio.Event().wait()
        finally:
            await turns(5)
            self.ended += 1


@pytest_asyncio.fixture
async def chores() -> AsyncIterator[Chores]:
    made = Chores()
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> LoopClock:
    return LoopClock(monkeypatch)


async def test_a_chore_runs_once_each_period_and_not_before_the_first_is_over(chores: Chores, clock: LoopClock) -> None:
    work = Work()
    chores.every(100, work)
    chores.start()
    await turns()
    for done in range(4):
        await clock.moves_on(90)
        assert work.begun == done
        await clock.moves_on(11)
        assert work.begun == done + 1


async def test_each_chore_has_a_period_of_its_own(chores: Chores, clock: LoopClock) -> None:
    often, seldom = Work(), Work()
    chores.every(10, often)
    chores.every(100, seldom)
    chores.start()
    for _ in range(11):
        await turns()
        await clock.moves_on(10.1)
    assert (often.begun, seldom.begun) == (11, 1)


async def test_a_chore_that_fails_runs_again_and_is_in_the_log_each_time(
    chores: Chores, clock: LoopClock, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work(fails=True)
    chores.every(100, work)
    chores.start()
    for _ in range(3):
        await turns()
        await clock.moves_on(101)
    assert work.begun == 3
    assert [record.exc_info is not None for record in caplog.records] == [True] * 3


async def test_a_chore_that_takes_long_holds_up_no_other_and_is_not_begun_again(
    chores: Chores, clock: LoopClock
) -> None:
    slow, quick = Work(waits=True), Work()
    chores.every(100, slow)
    chores.every(100, quick)
    chores.start()
    for _ in range(3):
        await turns()
        await clock.moves_on(101)
    assert (slow.begun, quick.begun) == (1, 3)


async def test_chores_that_are_started_twice_run_once(chores: Chores, clock: LoopClock) -> None:
    work = Work()
    chores.every(100, work)
    for _ in range(3):
        chores.start()
    await turns()
    await clock.moves_on(101)
    assert work.begun == 1


async def test_no_chore_runs_after_the_stop_and_what_was_under_way_has_ended(chores: Chores, clock: LoopClock) -> None:
    work, slow = Work(), Work(waits=True)
    chores.every(100, work)
    chores.every(10, slow)
    chores.start()
    await turns()
    await clock.moves_on(11)
    assert (slow.begun, slow.ended) == (1, 0)
    await asyncio.wait_for(chores.stop(), 5)
    assert (slow.begun, slow.ended) == (1, 1)
    await clock.moves_on(1000)
    assert work.begun == 0


async def test_chores_that_were_stopped_can_be_started_again(chores: Chores, clock: LoopClock) -> None:
    work = Work()
    chores.every(100, work)
    chores.start()
    await turns()
    await chores.stop()
    chores.start()
    await turns()
    await clock.moves_on(101)
    assert work.begun == 1


async def test_a_chore_is_not_done_on_behalf_of_whoever_has_started_it(chores: Chores, clock: LoopClock) -> None:
    on_behalf_of: list[trace.Trace | None] = []

    async def note() -> None:
        on_behalf_of.append(trace.current.get())

    chores.every(100, note)
    before = trace.current.set(trace.Trace())
    chores.start()
    trace.current.reset(before)
    await turns()
    await clock.moves_on(101)
    assert on_behalf_of == [None]
