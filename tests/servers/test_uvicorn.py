"""Our socket on uvicorn: bounded in both directions, and no loss or offence is taken for something else."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from websockets.frames import Opcode

from tests.servers.messages import (
    LIMIT,
    MIB,
    SLOW_READER,
    fills,
    is_disconnected,
    is_too_large,
    message_of,
    not_utf8,
)
from tests.support.processes import UvicornProcess
from tests.support.raw import Raw, framed
from tests.support.tab import LOST, Talk
from tests.support.wire import Wire

TOO_BIG = 1009


# What is said


async def test_a_message_reaches_all_members_and_oneself(uvicorn: UvicornProcess) -> None:
    async with AsyncExitStack() as stack:
        members = [
            await stack.enter_async_context(Wire(uvicorn.url, user, room="attic")) for user in ("ana", "bob", "eve")
        ]
        for member in members:
            await member.says(f"hello from {member.user}")
            assert [await one.hears_said() for one in members] == [f"hello from {member.user}"] * 3


async def test_one_who_compresses_is_understood_and_understands(uvicorn: UvicornProcess) -> None:
    async with (
        Wire(uvicorn.url, "ana", room="attic", compression="deflate") as ana,
        Wire(uvicorn.url, "bob", room="attic") as bob,
    ):
        assert ana.connection.protocol.extensions
        text = message_of(LIMIT)
        for _ in range(2):  # the second refers to the first
            await ana.sends_text(text)
            assert [await one.hears_said() for one in (ana, bob)] == ["big", "big"]
        await ana.sends_fragments([text[:100], text[100:200], text[200:]])
        assert [await one.hears_said() for one in (ana, bob)] == ["big", "big"]
        await ana.sends_text(message_of(LIMIT + 1))
        await is_too_large(ana)


async def test_one_who_compresses_may_leave_a_message_as_it_is(uvicorn: UvicornProcess) -> None:
    async with Wire(uvicorn.url, "ana", room="attic", compression="deflate") as ana:
        await ana.says("compressed")
        ana.connection.transport.write(framed(message_of(200)))
        assert [await ana.hears_said() for _ in range(2)] == ["compressed", "big"]


# What nobody should send


async def test_a_message_beyond_the_limit_is_answered_and_the_socket_stays(uvicorn: UvicornProcess) -> None:
    async with Wire(uvicorn.url, "ana", room="attic") as ana:
        text = message_of(100_000)
        await ana.sends_text(text)
        await is_too_large(ana)
        await ana.sends_fragments(text[start : start + 10_000] for start in range(0, len(text), 10_000))
        await is_too_large(ana)


@pytest.mark.parametrize("excess", [-1, 0, 1, 1000], ids="{:+} bytes".format)
async def test_one_that_is_far_too_large_closes_the_socket(uvicorn: UvicornProcess, excess: int) -> None:
    size = 16 * MIB + excess
    async with Raw(uvicorn.url, "ana") as ana:
        frame = framed(b"x" * size)
        ana.puts(frame[:1000])
        if excess <= 0:
            ana.puts(frame[1000:])
            assert (await ana.hears("error_response"))["payload"]["code"] == "too_large"
            await ana.hears_nothing()
        else:
            assert await ana.hears_close() == TOO_BIG


async def test_a_message_without_end_takes_no_memory(uvicorn: UvicornProcess) -> None:
    async with Raw(uvicorn.url, "ana") as ana:
        before = uvicorn.memory
        ana.puts(framed(b"x" * MIB, fin=False), *[framed(b"x" * MIB, Opcode.CONT, fin=False)] * 40)
        assert await ana.hears_close() in (TOO_BIG, LOST)  # which it is depends on how much was still on its way
        assert uvicorn.memory - before < 30 * MIB


@not_utf8
async def test_a_text_that_is_not_utf8_is_answered_and_the_socket_stays(uvicorn: UvicornProcess, data: bytes) -> None:
    async with Wire(uvicorn.url, "ana") as ana:
        await ana.sends_text_bytes(data)
        await is_malformed(ana)
        await ana.connection.send([data[:1], data[1:]], text=True)
        await is_malformed(ana)


async def test_a_binary_frame_is_answered_and_the_socket_stays(uvicorn: UvicornProcess) -> None:
    async with Wire(uvicorn.url, "ana") as ana:
        await ana.sends_bytes(b'{"type":"get_rooms"}')
        await is_malformed(ana)


async def is_malformed(tab: Talk) -> None:
    assert (await tab.hears("error_response"))["payload"]["code"] == "malformed"
    await tab.hears_nothing()


# Too fast, or not reading


async def test_one_who_sends_and_does_not_read_is_held_up_and_nothing_is_lost(uvicorn: UvicornProcess) -> None:
    async with (
        Wire(uvicorn.url, "ana", room="cellar", receive_buffer=4096) as ana,
        Wire(uvicorn.url, "bob") as bob,
    ):
        before = uvicorn.memory
        sending = asyncio.create_task(sends_numbered(ana, 500))
        await is_held_up(ana, bob)
        assert uvicorn.memory - before < 20 * MIB  # of the 32 that are to be sent
        for number in range(500):
            assert (await ana.hears("chat_message"))["messageId"] == f"message {number}"
        await sending


async def sends_numbered(tab: Wire, count: int) -> None:
    for number in range(count):
        await tab.sends_text(message_of(LIMIT, room="cellar", messageId=f"message {number}"))


async def is_held_up(tab: Wire, other: Wire) -> None:
    """Return when the server takes nothing more from this client, though it has had many turns to do so."""
    waiting = -1
    while waiting != (waiting := tab.connection.transport.get_write_buffer_size()) or not waiting:
        for _ in range(100):
            await other.pings()


async def test_one_who_does_not_read_is_cut_off_while_the_others_go_on(uvicorn: UvicornProcess) -> None:
    async with (
        Wire(uvicorn.url, "ana", room="slow") as ana,
        Wire(uvicorn.url, "bob", room="slow") as bob,
        Raw(uvicorn.url, "sloth", room="slow", receive_buffer=4096) as sloth,
    ):
        before = uvicorn.memory
        await fills("slow", 3000, ana, bob)
        assert uvicorn.memory - before < 30 * MIB  # of the 47 that were not read
        assert await sloth.hears_close() == SLOW_READER
        await ana.says("still here?", room="slow")
        assert [await one.hears_said() for one in (ana, bob)] == ["still here?"] * 2


async def test_one_who_asks_for_much_does_not_read_and_is_lost_is_no_fault_of_ours(uvicorn: UvicornProcess) -> None:
    async with (
        Wire(uvicorn.url, "bob", room="library") as bob,
        Raw(uvicorn.url, "max", receive_buffer=4096) as max_,
    ):
        await fills("library", 60, bob)
        max_.puts(*[framed('{"type":"get_recent_messages","room":"library"}')] * 200)
        for _ in range(200):  # max is served in turn with bob, so by then all has happened that will
            await bob.asks("get_rooms", "rooms_list")
        max_.resets()
        await is_disconnected(uvicorn, "max", LOST)
