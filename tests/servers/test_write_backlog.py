"""What may wait to be sent to one client on daphne, counted in what is said in one turn of the event loop."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.messages import MIB, SLOW_READER, hears_all
from tests.support.draining import Draining
from tests.support.raw import Raw

FRAME = 16_000 + 4


@pytest.fixture
def draining(tmp_path: Path) -> Iterator[Draining]:
    """One that runs."""
    with Draining(tmp_path) as server:
        yield server


async def test_up_to_a_mebibyte_may_wait_and_what_is_behind_it_cuts_the_client_off(draining: Draining) -> None:
    fits = MIB // FRAME + 1
    async with Raw(draining.url, "ana") as ana:
        await ana.sends_text(f"flood {fits}")
        for number in range(fits):
            assert (await ana.hears_text()).startswith(f"{number:05}")
        await ana.sends_text(f"flood {3 * fits}")
        heard, code = await hears_all(ana)
        assert code == SLOW_READER
        # All that was said before, in front of the close.
        assert [text[:5] for text in heard] == [f"{number:05}" for number in range(fits)]
    draining.terminate()
    assert "cut 1" in await asyncio.to_thread(draining.rest)
