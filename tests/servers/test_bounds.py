"""What one client can do to a real server: too much at once, too fast, or not reading what it gets."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.servers.messages import LIMIT, MIB, SLOW_READER, is_too_large, message_of, not_utf8
from tests.support.processes import ValkeyProcess
from tests.support.serving import Serving
from tests.support.tab import LOST
from tests.support.wire import Wire


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(tmp_path_factory: pytest.TempPathFactory, valkey_process: ValkeyProcess) -> AsyncIterator[Serving]:
    """One server for all; each test has rooms of its own."""
    with Serving(tmp_path_factory.mktemp("bounds"), **valkey_process.environment) as server:
        yield server


# Too much at once


async def test_a_frame_of_the_limit_passes(running: Serving) -> None:
    async with Wire(running.url, "ana", room="attic") as ana:
        await ana.sends_text(message_of(LIMIT))
        assert await ana.hears_said() == "big"


@pytest.mark.parametrize("size", [LIMIT + 1, 5 * MIB], ids=["one byte", "five megabytes"])
async def test_a_frame_beyond_the_limit_is_answered_and_the_socket_stays(running: Serving, size: int) -> None:
    async with Wire(running.url, "ana", room="attic") as ana:
        await ana.sends_text(message_of(size))
        await is_too_large(ana)


@pytest.mark.parametrize("size", [LIMIT + 1, 5 * MIB], ids=["one byte", "five megabytes"])
async def test_fragments_beyond_the_limit_are_answered_and_the_socket_stays(running: Serving, size: int) -> None:
    text = message_of(size)
    async with Wire(running.url, "ana", room="attic") as ana:
        await ana.sends_fragments(text[start : start + 10_000] for start in range(0, size, 10_000))
        await is_too_large(ana)


async def test_a_message_without_end_takes_no_memory(running: Serving) -> None:
    async with Wire(running.url, "ana", room="attic") as ana:
        before = running.memory

        def endless() -> Iterator[str]:
            yield from ("x" * MIB for _ in range(80))
            assert running.memory - before < 20 * MIB
            yield "and an end, so that there is an answer"

        await ana.sends_fragments(endless())
        await is_too_large(ana)


async def test_fragments_within_the_limit_are_one_message(running: Serving) -> None:
    text = message_of(LIMIT)
    async with Wire(running.url, "ana", room="attic") as ana:
        await ana.sends_fragments(text[start : start + 10_000] for start in range(0, LIMIT, 10_000))
        assert await ana.hears_said() == "big"


@not_utf8
async def test_a_text_frame_that_is_not_utf8_is_answered_and_the_socket_stays(running: Serving, data: bytes) -> None:
    async with Wire(running.url, "ana") as ana:
        await ana.sends_text_bytes(data)
        assert (await ana.hears("error_response"))["payload"]["code"] == "malformed"
        await ana.hears_nothing()


async def test_a_history_larger_than_any_message_arrives(running: Serving) -> None:
    async with Wire(running.url, "ana", room="library") as ana:
        await _fill(ana, "library")
        await ana.sends("get_recent_messages", room="library")
        frame = await ana.hears_text()
        assert len(frame) > 2 * LIMIT
        newest = json.loads(frame)["payload"]["messages"]
        names = [f"library {number}" for number in (9, 8, 7, 6, 5)]
        assert [message["messageId"] for message in newest] == names[: len(newest)]


async def _fill(tab: Wire, room: str) -> None:
    for number in range(10):
        await tab.sends_text(message_of(LIMIT - 200, room=room, messageId=f"{room} {number}"))
        await tab.hears("chat_message")


async def test_one_who_asks_for_much_and_reads_it_is_not_cut_off(running: Serving) -> None:
    async with Wire(running.url, "ana", room="shelf", receive_buffer=4096) as ana:
        await _fill(ana, "shelf")
        for _ in range(200):
            await ana.sends("get_recent_messages", room="shelf")
        for _ in range(200):
            await ana.hears("recent_messages")


# Too fast


async def test_a_fast_sender_is_held_up_and_every_frame_answered(running: Serving) -> None:
    count = 5000
    async with Wire(running.url, "ana", room="attic") as ana:
        before = running.memory
        # Sent in one task while another listens: a peer that reads, but does not wait for the answers.
        sending = asyncio.create_task(_send_all(ana, message_of(16_384), count))
        for number in range(count):
            await ana.hears("chat_message")
            if number == count // 2:
                assert running.memory - before < 40 * MIB  # of the 80 that were sent
        await sending


async def _send_all(tab: Wire, text: str, count: int) -> None:
    for _ in range(count):
        await tab.sends_text(text)


# Reading too slowly


async def test_one_who_does_not_read_is_cut_off_and_the_others_hear_promptly(running: Serving) -> None:
    async with (
        Wire(running.url, "ana", room="slow") as ana,
        Wire(running.url, "bob", room="slow") as bob,
        Wire(running.url, "sloth", room="slow", receive_buffer=4096) as sloth,
    ):
        before = running.memory
        slowest = 0.0
        for _ in range(40):
            slowest = max(slowest, await _exchange(ana, bob))
        assert slowest < 2.0
        assert running.memory - before < 40 * MIB  # of the 80 that were not read
        assert await sloth.hears_close() in (SLOW_READER, LOST)
        await ana.says("still here?", room="slow")
        assert await bob.hears_said() == "still here?"


async def _exchange(ana: Wire, bob: Wire) -> float:
    """Two megabytes from one to the other; the seconds it took."""
    began = time.monotonic()
    for _ in range(32):
        await ana.sends_text(message_of(LIMIT - 100, room="slow"))
    for _ in range(32):
        await bob.hears("chat_message")
        await ana.hears("chat_message")
    return time.monotonic() - began


async def test_a_slow_reader_who_reads_on_learns_the_reason_for_being_cut_off(running: Serving) -> None:
    async with Wire(running.url, "ana", room="slow2") as ana, Wire(running.url, "sloth", room="slow2") as sloth:
        sloth.connection.transport.pause_reading()
        for _ in range(200):
            await ana.sends_text(message_of(LIMIT - 100, room="slow2"))
            await ana.hears("chat_message")
        sloth.connection.transport.resume_reading()
        assert await sloth.hears_close() == SLOW_READER
