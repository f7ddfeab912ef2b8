"""What waits for a receiver, and what no longer reaches one that is closed."""

import asyncio

from aleatoria.valkey.channel import Channel
from aleatoria.valkey.events import Event, frame
from aleatoria.valkey.receivers import Receivers

A_THOUSAND = 1000


class Owner:
    """The owner of a channel whose sink takes nothing yet."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.overflows = 0
        self.gate = asyncio.Event()

    async def sink(self, event: Event) -> None:
        await self.gate.wait()
        self.heard.append(event["text"])

    def overflow(self) -> None:
        self.overflows += 1


async def test_a_thousand_events_may_wait_behind_the_one_that_the_sink_has() -> None:
    channel, owner = Channel(), Owner()
    channel.attach(owner.sink, owner.overflow)
    for number in range(A_THOUSAND + 1):
        channel.hand(frame(str(number)))
    assert owner.overflows == 0
    for number in range(3):
        channel.hand(frame("too much"))
        assert owner.overflows == number + 1
    owner.gate.set()
    while channel.task is not None:
        await asyncio.sleep(0)
    assert owner.heard == [str(number) for number in range(A_THOUSAND + 1)]


async def test_a_thousand_events_may_wait_to_be_received() -> None:
    channel = Channel()
    for number in range(A_THOUSAND + 3):
        channel.hand(frame(str(number)))
    assert channel.queue.qsize() == A_THOUSAND


async def test_one_who_is_closed_while_others_are_written_to_is_not_written_to() -> None:
    receivers, written = Receivers(), list[str]()

    def closes_the_other(text: str) -> bool:
        receivers.close("other")
        return True

    def writes(text: str) -> bool:
        written.append(text)
        return True

    for name, write in (("one", closes_the_other), ("other", writes)):
        receivers.open(name).write = write
        receivers.join(name, [b"attic"])
    receivers.deliver(b"attic", frame("hello"))
    assert written == []


async def test_who_is_closed_has_left_every_group_and_the_empty_ones_are_named() -> None:
    receivers = Receivers()
    for name, groups in (("one", [b"attic", b"cellar", b"zoo"]), ("other", [b"attic"])):
        receivers.open(name)
        receivers.join(name, groups)
    assert not receivers.leave("one", b"barn")
    assert receivers.leave("one", b"zoo")
    assert receivers.close("one") == [b"cellar"]
    assert receivers.has_members(b"attic")
    assert receivers.close("one") == []
    assert receivers.close("other") == [b"attic"]
    assert not receivers.has_members(b"attic")
