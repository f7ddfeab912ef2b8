"""What one socket does beside its frames: how long it is waited for, and that it ends and leaves nothing."""

import asyncio
import gc
import weakref

import pytest

from aleatoria.wire.tasks import Tasks
from tests.support.loop_clock import LoopClock, turns
from tests.support.waiting import soon


async def never() -> None:
    await asyncio.Event().wait()


async def test_what_takes_too_long_is_waited_for_no_longer_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks, done, go_on = Tasks(), False, asyncio.Event()

    async def work() -> None:
        nonlocal done
        await go_on.wait()
        done = True

    clock = LoopClock(monkeypatch)
    waiting = asyncio.create_task(tasks.within(10, work()))
    await turns()
    await clock.moves_on(9)
    assert not waiting.done()
    await clock.moves_on(2)
    assert waiting.done()
    assert not done
    go_on.set()
    await soon(lambda: done)


async def test_what_is_done_in_time_is_waited_for_no_longer() -> None:
    await asyncio.wait_for(Tasks().within(1000, asyncio.sleep(0)), 5)


async def test_everything_that_still_runs_can_be_ended_at_once() -> None:
    tasks = Tasks()
    running = [tasks.spawn(never()) for _ in range(3)]
    await turns()
    tasks.cancel_all()
    await turns()
    assert all(task.cancelled() for task in running)


async def test_a_task_that_has_ended_is_forgotten() -> None:
    tasks = Tasks()
    ended = weakref.ref(tasks.spawn(asyncio.sleep(0)))
    await turns()
    gc.collect()
    assert ended() is None


async def test_a_task_that_fails_is_in_the_log_with_its_traceback_and_one_that_is_ended_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> None:
        raise RuntimeError("it does not work")

    tasks = Tasks()
    tasks.spawn(fail())
    tasks.spawn(never())
    await turns()
    tasks.cancel_all()
    await turns()
    (record,) = caplog.records
    assert record.name == "aleatoria.wire.tasks"
    assert record.exc_info is not None
    assert "it does not work" in str(record.exc_info[1])
