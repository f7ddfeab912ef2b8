"""What waits between the server and the application."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aleatoria.servers.inbox import Inbox

READ_BACKLOG = 64
HALF = READ_BACKLOG // 2
DISCONNECT = {"type": "websocket.disconnect", "code": 1000}
Ending = Callable[[Inbox], None]


class Held:
    """An inbox, and whether its sender is held up."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.inbox = Inbox(lambda: self.said.append("stop"), lambda: self.said.append("go on"))

    def put(self, *numbers: int) -> None:
        for number in numbers:
            self.inbox.put_nowait({"type": "websocket.receive", "text": str(number)})

    async def take(self, count: int = 1) -> list[int]:
        return [number_in(await self.inbox.get()) for _ in range(count)]


def number_in(event: dict[str, Any]) -> int:
    return int(event["text"])


async def turns() -> None:
    """As many turns of the event loop as anything here could take to happen."""
    for _ in range(10):
        await asyncio.sleep(0)


async def waits(work: Awaitable[Any]) -> bool:
    """Whether it is not done, though it has had its time."""
    task = asyncio.ensure_future(work)
    await turns()
    return not task.done()


# One after the other


async def test_what_is_put_in_comes_out_in_order() -> None:
    held = Held()
    held.put(1, 2, 3)
    assert await held.take(2) == [1, 2]
    held.put(4)
    assert await held.take(2) == [3, 4]


async def test_a_reader_waits_for_what_is_put_in_later() -> None:
    held = Held()
    reading = asyncio.create_task(held.take(2))
    assert await waits(reading)
    held.put(1)
    assert await waits(reading)
    held.put(2)
    assert await reading == [1, 2]


@pytest.mark.parametrize("there", [[], [1]], ids=["while it waits", "right after it was woken"])
async def test_a_reader_who_is_cancelled_takes_nothing_along(there: list[int]) -> None:
    held = Held()
    reading = asyncio.create_task(held.take())
    assert await waits(reading)
    held.put(*there)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    held.put(2)
    assert await held.take(len(there) + 1) == [*there, 2]


# Too much


async def test_a_sender_is_held_up_past_the_bound_and_goes_on_at_half() -> None:
    held = Held()
    held.put(*range(READ_BACKLOG))
    assert held.said == []
    held.put(READ_BACKLOG)
    assert held.said == ["stop"]
    await held.take(HALF)
    assert held.said == ["stop"]
    await held.take()
    assert held.said == ["stop", "go on"]


async def test_what_comes_in_though_the_sender_is_held_up_is_kept_and_the_sender_is_told_once() -> None:
    held = Held()
    held.put(*range(3 * READ_BACKLOG))
    assert held.said == ["stop"]
    assert await held.take(3 * READ_BACKLOG) == list(range(3 * READ_BACKLOG))
    assert held.said == ["stop", "go on"]


async def test_a_sender_is_held_up_again_each_time() -> None:
    held = Held()
    for _ in range(3):
        held.put(*range(READ_BACKLOG + 1))
        await held.take(READ_BACKLOG + 1)
    assert held.said == ["stop", "go on"] * 3


deeds = st.lists(
    st.tuples(st.sampled_from(["put", "take"]), st.integers(1, 100))
    | st.tuples(st.sampled_from(["block", "unblock"]), st.just(0)),
    max_size=30,
)


@given(deeds=deeds)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_happens_all_comes_out_in_order_and_the_sender_is_held_up_in_time(
    deeds: list[tuple[str, int]],
) -> None:
    held, sent, taken = Held(), 0, list[int]()
    is_blocked = is_held_up = False
    for deed, count in deeds:
        if deed == "put":
            held.put(*range(sent, sent + count))
            sent += count
            is_held_up = is_held_up or sent - len(taken) > READ_BACKLOG
        elif deed == "take" and not is_blocked:
            taken += await held.take(min(count, sent - len(taken)))
            is_held_up = is_held_up and sent - len(taken) > HALF
        elif deed == "block":
            held.inbox.pauseProducing()
            is_blocked = True
        elif deed == "unblock":
            held.inbox.resumeProducing()
            is_blocked = False
        assert (held.said[-1:] == ["stop"]) is is_held_up
    held.inbox.resumeProducing()
    taken += await held.take(sent - len(taken))
    assert taken == list(range(sent))


# Answers that wait to be sent


async def test_nothing_is_handed_out_while_answers_wait_to_be_sent() -> None:
    held = Held()
    held.put(1)
    held.inbox.pauseProducing()
    reading = asyncio.create_task(held.take(2))
    assert await waits(reading)
    held.put(2)
    assert await waits(reading)
    held.inbox.resumeProducing()
    assert await reading == [1, 2]


async def test_a_reader_who_already_waits_is_held_back_as_well() -> None:
    held = Held()
    reading = asyncio.create_task(held.take())
    assert await waits(reading)
    held.inbox.pauseProducing()
    held.put(1)
    assert await waits(reading)
    held.inbox.resumeProducing()
    assert await reading == [1]


def is_lost(inbox: Inbox) -> None:
    inbox.put_nowait(DISCONNECT)


@pytest.mark.parametrize("ending", [is_lost, Inbox.stopProducing], ids=["a disconnect", "the end of the transport"])
async def test_the_end_hands_out_what_was_held_back(ending: Ending) -> None:
    held = Held()
    held.inbox.pauseProducing()
    held.put(1, 2)
    reading = asyncio.create_task(held.take(2))
    assert await waits(reading)
    ending(held.inbox)
    assert await reading == [1, 2]


async def test_after_a_disconnect_nothing_is_held_back() -> None:
    held = Held()
    held.put(1)
    held.inbox.put_nowait(DISCONNECT)
    held.inbox.pauseProducing()
    assert await held.take() == [1]
    assert await held.inbox.get() == DISCONNECT


# Until all is answered


async def test_nobody_waits_for_a_reader_who_has_nothing_to_do() -> None:
    held = Held()
    reading = asyncio.create_task(held.take())
    await turns()
    assert not await waits(held.inbox.join())
    reading.cancel()


async def test_all_is_dealt_with_when_the_reader_comes_for_more() -> None:
    held = Held()
    held.put(1, 2)
    steps, taken = asyncio.Semaphore(0), list[int]()

    async def deals_with_them() -> None:
        while True:
            taken.extend(await held.take())
            await steps.acquire()

    reading = asyncio.create_task(deals_with_them())
    joining = asyncio.create_task(held.inbox.join())
    assert await waits(joining)
    assert taken == [1]
    steps.release()
    assert await waits(joining)
    assert taken == [1, 2]
    steps.release()
    await asyncio.wait_for(joining, 1)
    reading.cancel()


async def test_what_comes_in_meanwhile_is_waited_for_too() -> None:
    held = Held()
    reading = asyncio.create_task(held.take(3))
    await turns()
    held.put(1)
    joining = asyncio.create_task(held.inbox.join())
    held.inbox.pauseProducing()
    held.put(2)
    assert await waits(joining)
    held.inbox.resumeProducing()
    await asyncio.wait_for(joining, 1)
    assert not reading.done()
    held.put(3)
    assert await reading == [1, 2, 3]


async def test_what_nobody_has_taken_is_waited_for() -> None:
    held = Held()
    joining = asyncio.create_task(held.inbox.join())
    assert await waits(joining)  # there is no reader yet
    reading = asyncio.create_task(held.take())
    await asyncio.wait_for(joining, 1)
    reading.cancel()
