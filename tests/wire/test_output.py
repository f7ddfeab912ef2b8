"""The way out of one socket: frames, one close, and what happens when its client does not read."""

import asyncio
from typing import Any

import pytest

from aleatoria.wire.errors import BANNED, FLOODING, SLOW_READER
from aleatoria.wire.output import CUT, Output
from aleatoria.wire.tasks import Tasks
from tests.support.loop_clock import LoopClock, turns


class Client:
    """Takes what is sent, or does not read at all."""

    def __init__(self, *, reads: bool = True) -> None:
        self.got: list[dict[str, Any]] = []
        self._reads = reads

    async def __call__(self, event: dict[str, Any]) -> None:
        if not self._reads:
            await asyncio.Event().wait()
        self.got.append(event)


async def live() -> None:
    """The life of a socket."""
    await asyncio.Event().wait()


def cuts() -> int:
    return sum(CUT.by.values())


async def test_a_socket_is_closed_once_with_the_first_code() -> None:
    client = Client()
    output = Output(client, Tasks())
    await output.close(FLOODING)
    await output.close(BANNED)
    output.cut(SLOW_READER, "slow_reader")
    await turns()
    assert client.got == [{"type": "websocket.close", "code": 4429}]
    assert output.closed_with == 4429


async def test_a_socket_that_is_cut_is_closed_and_its_life_ends() -> None:
    client = Client()
    output = Output(client, Tasks())
    output.life = asyncio.create_task(live())
    await turns()
    output.cut(SLOW_READER, "slow_reader")
    await turns()
    assert client.got == [{"type": "websocket.close", "code": 4408}]
    assert output.life.cancelled()


async def test_the_life_of_a_socket_whose_client_does_not_read_ends_five_seconds_after_the_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = LoopClock(monkeypatch)
    output = Output(Client(reads=False), Tasks())
    output.life = asyncio.create_task(live())
    await turns()
    output.cut(SLOW_READER, "slow_reader")
    await turns()
    await clock.moves_on(4)
    assert not output.life.done()
    await clock.moves_on(1.5)
    assert output.life.cancelled()


async def test_a_socket_that_is_cut_again_and_again_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = LoopClock(monkeypatch)
    before = cuts()
    output = Output(Client(reads=False), Tasks())
    for _ in range(3):
        output.cut(SLOW_READER, "slow_reader")
    output.cut(BANNED, "banned")
    assert cuts() == before + 1
    await turns()
    output.cut(SLOW_READER, "slow_reader")
    assert cuts() == before + 1
    await clock.moves_on(10)


@pytest.mark.parametrize("takes", [True, False])
async def test_a_frame_goes_out_once_whether_the_server_takes_it_at_once_or_not(*, takes: bool) -> None:
    written: list[str] = []

    def write(text: str) -> bool:
        if takes:
            written.append(text)
        return takes

    client = Client()
    output = Output(client, Tasks())
    output.open(write)
    await output.send_text("one")
    await output.send_text("two")
    sent = [event["text"] for event in client.got]
    assert (written, sent) == ((["one", "two"], []) if takes else ([], ["one", "two"]))


async def test_whoever_waits_for_the_handshake_goes_on_when_it_is_over() -> None:
    output = Output(Client(), Tasks())
    waiting = asyncio.create_task(output.opened())
    await turns()
    assert (output.is_open, waiting.done()) == (False, False)
    output.open(None)
    await turns()
    assert (output.is_open, waiting.done()) == (True, True)
