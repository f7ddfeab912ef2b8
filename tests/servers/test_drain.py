"""How our server on daphne ends: what it has received is answered, and nobody holds it up for long."""

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.messages import RESTART, hears_all
from tests.support.draining import Draining
from tests.support.raw import Raw


@pytest.fixture
def draining(tmp_path: Path) -> Iterator[Draining]:
    """One that runs."""
    with Draining(tmp_path) as server:
        yield server


def accepts(port: int) -> bool:
    """Whether somebody accepts connections at this port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except ConnectionRefusedError:
        return False
    return True


async def test_what_was_received_is_answered_before_the_sockets_end(draining: Draining) -> None:
    texts = [str(number) for number in range(8)]
    async with Raw(draining.url, "ana") as ana:
        for text in texts:
            await ana.sends_text(text)
        assert await ana.hears_text() == "0"
        draining.terminate()
        assert [await ana.hears_text() for _ in texts[1:]] == texts[1:]
        assert await ana.hears_close() == RESTART
    assert await asyncio.to_thread(draining.rest) == ["answered", f"disconnected with {RESTART}", "cut 0", "drained"]


async def test_one_who_goes_on_sending_does_not_hold_up_the_end(draining: Draining) -> None:
    async with Raw(draining.url, "ana") as ana:
        await ana.sends_text("hello")
        await ana.hears_text()
        draining.terminate()
        began = time.monotonic()

        async def sends() -> None:
            while True:
                await ana.sends_text("and on")
                await asyncio.sleep(0.01)

        sending = asyncio.create_task(sends())
        answered, code = await hears_all(ana)
        sending.cancel()
        assert code == RESTART
        assert len(answered) < 40  # what came in before it was told to end
        assert time.monotonic() - began < 2.5
    await asyncio.to_thread(draining.rest)


async def test_a_handler_that_hangs_holds_up_the_end_for_seconds_and_meanwhile_nobody_new_is_let_in(
    draining: Draining,
) -> None:
    async with Raw(draining.url, "ana") as ana:
        await ana.sends_text("hang")
        draining.terminate()
        began = time.monotonic()
        while accepts(draining.port):
            assert time.monotonic() - began < 2
            await asyncio.sleep(0.01)
        assert draining.is_running()
        said = await asyncio.to_thread(draining.rest)
        assert 4.5 < time.monotonic() - began < 12
    assert said == ["answered", "drained"]
