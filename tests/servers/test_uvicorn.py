"""Our socket on uvicorn: bounded in both directions, and no loss or offence is taken for something else."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import redis
from websockets.frames import Opcode

from tests.matchmaking.test_lost_connection import OFFER, becomes_true, is_missed, meet, role_of, signals
from tests.servers.test_bounds import LIMIT, MIB, SLOW_READER, is_too_large, not_utf8
from tests.servers.test_bounds import framed as message_of
from tests.servers.test_serve import RESTART
from tests.support.processes import UvicornProcess, ValkeyProcess
from tests.support.raw import Raw, framed
from tests.support.tab import LOST, Talk
from tests.support.wire import Wire

LOOPS = ["uvloop", "asyncio"]
TOO_BIG = 1009
MALFORMED = 4400


@pytest.fixture(scope="module", params=LOOPS)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, valkey_process: ValkeyProcess
) -> Iterator[UvicornProcess]:
    """One for all tests, which may leave nothing in its log that somebody would have to look into."""
    directory = tmp_path_factory.mktemp("uvicorn")
    with UvicornProcess(directory, "--loop", request.param, **valkey_process.environment) as server:
        yield server
        assert complaints(server) == []


@pytest.fixture(params=LOOPS)
def ending(request: pytest.FixtureRequest, tmp_path: Path, valkey_process: ValkeyProcess) -> Iterator[UvicornProcess]:
    """One that the test may end."""
    with UvicornProcess(tmp_path, "--loop", request.param, **valkey_process.environment) as server:
        yield server


def complaints(server: UvicornProcess) -> list[str]:
    """What it has logged as wrong."""
    return [line for line in server.logged().splitlines() if "INFO:" not in line]


async def is_disconnected(server: UvicornProcess, user: str, code: int) -> None:
    """Returns when the application has learnt that."""
    await becomes_true(lambda: f"{user} is disconnected, code {code}," in server.logged())


# What is said


async def test_a_message_reaches_all_members_and_oneself(running: UvicornProcess) -> None:
    async with AsyncExitStack() as stack:
        members = [
            await stack.enter_async_context(Wire(running.url, user, room="attic")) for user in ("ana", "bob", "eve")
        ]
        for member in members:
            await member.says(f"hello from {member.user}")
            assert [await one.hears_said() for one in members] == [f"hello from {member.user}"] * 3


async def test_one_who_compresses_is_understood_and_understands(running: UvicornProcess) -> None:
    async with (
        Wire(running.url, "ana", room="attic", compression="deflate") as ana,
        Wire(running.url, "bob", room="attic") as bob,
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


async def test_one_who_compresses_may_leave_a_message_as_it_is(running: UvicornProcess) -> None:
    async with Wire(running.url, "ana", room="attic", compression="deflate") as ana:
        await ana.says("compressed")
        ana.connection.transport.write(framed(message_of(200)))
        assert [await ana.hears_said() for _ in range(2)] == ["compressed", "big"]


# What nobody should send


async def test_a_message_beyond_the_limit_is_answered_and_the_socket_stays(running: UvicornProcess) -> None:
    async with Wire(running.url, "ana", room="attic") as ana:
        text = message_of(100_000)
        await ana.sends_text(text)
        await is_too_large(ana)
        await ana.sends_fragments(text[start : start + 10_000] for start in range(0, len(text), 10_000))
        await is_too_large(ana)


@pytest.mark.parametrize("excess", [-1, 0, 1, 1000], ids="{:+} bytes".format)
async def test_one_that_is_far_too_large_closes_the_socket(running: UvicornProcess, excess: int) -> None:
    size = 16 * MIB + excess
    async with Raw(running.url, "ana") as ana:
        frame = framed(b"x" * size)
        ana.puts(frame[:1000])
        if excess <= 0:
            ana.puts(frame[1000:])
            assert (await ana.hears("error_response"))["payload"]["code"] == "too_large"
            await ana.hears_nothing()
        else:
            assert await ana.hears_close() == TOO_BIG


async def test_a_message_without_end_takes_no_memory(running: UvicornProcess) -> None:
    async with Raw(running.url, "ana") as ana:
        before = running.memory
        ana.puts(framed(b"x" * MIB, fin=False), *[framed(b"x" * MIB, Opcode.CONT, fin=False)] * 40)
        assert await ana.hears_close() in (TOO_BIG, LOST)  # which it is depends on how much was still on its way
        assert running.memory - before < 30 * MIB


@not_utf8
async def test_a_text_that_is_not_utf8_is_answered_and_the_socket_stays(running: UvicornProcess, data: bytes) -> None:
    async with Wire(running.url, "ana") as ana:
        await ana.sends_text_bytes(data)
        await is_malformed(ana)
        await ana.connection.send([data[:1], data[1:]], text=True)
        await is_malformed(ana)


async def test_a_binary_frame_is_answered_and_the_socket_stays(running: UvicornProcess) -> None:
    async with Wire(running.url, "ana") as ana:
        await ana.sends_bytes(b'{"type":"get_rooms"}')
        await is_malformed(ana)


async def is_malformed(tab: Talk) -> None:
    assert (await tab.hears("error_response"))["payload"]["code"] == "malformed"
    await tab.hears_nothing()


# Too fast, or not reading


async def test_one_who_sends_and_does_not_read_is_held_up_and_nothing_is_lost(running: UvicornProcess) -> None:
    async with (
        Wire(running.url, "ana", room="cellar", receive_buffer=4096) as ana,
        Wire(running.url, "bob") as bob,
    ):
        before = running.memory
        sending = asyncio.create_task(sends_numbered(ana, 500))
        await is_held_up(ana, bob)
        assert running.memory - before < 20 * MIB  # of the 32 that he wants to send
        for number in range(500):
            assert (await ana.hears("chat_message"))["messageId"] == f"message {number}"
        await sending


async def sends_numbered(tab: Wire, count: int) -> None:
    for number in range(count):
        await tab.sends_text(message_of(LIMIT, room="cellar", messageId=f"message {number}"))


async def is_held_up(tab: Wire, other: Wire) -> None:
    """Returns when nothing more of what he sends is taken, though the server has had many turns to take it."""
    waiting = -1
    while waiting != (waiting := tab.connection.transport.get_write_buffer_size()) or not waiting:
        for _ in range(100):
            await other.pings()


async def fills(room: str, count: int, tab: Wire, *others: Wire) -> None:
    """So many messages of 16 KiB to the room, as fast as all of these hear them."""
    text = message_of(16_384, room=room)
    for _ in range(count // 20):
        for _ in range(20):
            await tab.sends_text(text)
        for one in (tab, *others) * 20:
            await one.hears("chat_message")


async def test_one_who_does_not_read_is_cut_off_while_the_others_go_on(running: UvicornProcess) -> None:
    async with (
        Wire(running.url, "ana", room="slow") as ana,
        Wire(running.url, "bob", room="slow") as bob,
        Raw(running.url, "sloth", room="slow", receive_buffer=4096) as sloth,
    ):
        before = running.memory
        await fills("slow", 3000, ana, bob)
        assert running.memory - before < 30 * MIB  # of the 47 that were not read
        assert await sloth.hears_close() == SLOW_READER
        await ana.says("still here?", room="slow")
        assert [await one.hears_said() for one in (ana, bob)] == ["still here?"] * 2


async def test_one_who_asks_for_much_does_not_read_and_is_lost_is_no_fault_of_ours(running: UvicornProcess) -> None:
    async with (
        Wire(running.url, "bob", room="library") as bob,
        Raw(running.url, "max", receive_buffer=4096) as max_,
    ):
        await fills("library", 60, bob)
        max_.puts(*[framed('{"type":"get_recent_messages","room":"library"}')] * 200)
        for _ in range(200):  # he is served in turn with bob, so by then all has been that will be
            await bob.asks("get_rooms", "rooms_list")
        max_.resets()
        await is_disconnected(running, "max", LOST)


# How it ends


@pytest.mark.parametrize("loss", [Raw.drops, Raw.resets], ids=["an end without a close", "a reset"])
async def test_a_call_survives_that_a_connection_is_lost(
    running: UvicornProcess, keys: redis.Redis, loss: Callable[[Raw], None]
) -> None:
    async with Wire(running.url, "bob") as bob:
        async with Raw(running.url, "ana") as ana:
            await meet(ana, bob)
            loss(ana)
            await is_missed("ana", keys)
        await bob.hears_nothing()
        async with Wire(running.url, "ana") as ana_again:
            await ana_again.sends("request_random_peer")
            assert await role_of(ana_again) == ("impolite", "bob")
            await signals(ana_again, bob, "webrtc_offer", OFFER)


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(("said", "code"), [(b"\x03\xe8", 1000), (b"\x03\xe9", 1001), (b"", 1005)])
async def test_a_clean_close_ends_the_call(running: UvicornProcess, said: bytes, code: int) -> None:
    async with Wire(running.url, "bob") as bob, Raw(running.url, f"ana{code}") as ana:
        await meet(ana, bob)
        ana.puts(framed(said, Opcode.CLOSE))
        assert (await bob.hears("hangup"))["fromUser"] == ana.user
        assert await ana.hears_close() == code
        await is_disconnected(running, ana.user, code)


async def test_a_close_of_the_client_is_echoed_and_ends_the_connection(running: UvicornProcess) -> None:
    async with Wire(running.url, "bob", room="attic") as bob, Raw(running.url, "ana", room="attic") as ana:
        ana.puts(framed(message_of(200)), framed(b"\x0f\x9fenough", Opcode.CLOSE), framed(message_of(300)))
        assert await ana.hears_close() == 3999
        assert await ana.sees() is None
        assert await bob.hears_said() == "big"
        await bob.hears_nothing()


async def test_what_is_answered_before_a_close_of_the_server_arrives_before_it(running: UvicornProcess) -> None:
    async with Raw(running.url, "eve") as eve:
        eve.puts(*[framed("poison")] * 25)
        for _ in range(20):
            assert (await eve.hears("error_response"))["payload"]["code"] == "malformed"
        assert await eve.hears_close() == MALFORMED
        eve.puts(framed("poison"), framed(MALFORMED.to_bytes(2, "big"), Opcode.CLOSE))
        assert await eve.sees() is None


async def test_when_the_server_ends_all_hear_that_it_restarts(ending: UvicornProcess) -> None:
    async with Wire(ending.url, "ana", room="attic") as ana, Wire(ending.url, "bob", room="attic") as bob:
        await ana.says("before")
        assert await bob.hears_said() == "before"
        ending.stop()
        assert [await one.hears_close() for one in (ana, bob)] == [RESTART, RESTART]
    assert complaints(ending) == []


@pytest.mark.parametrize("has_closed", [False, True], ids=["who is behind", "who has closed"])
async def test_one_who_does_not_read_does_not_hold_up_the_end(ending: UvicornProcess, *, has_closed: bool) -> None:
    async with (
        Wire(ending.url, "ana", room="slow") as ana,
        Raw(ending.url, "sloth", room="slow", receive_buffer=4096) as sloth,
    ):
        await fills("slow", 700, ana)
        if has_closed:
            sloth.puts(framed(b"\x03\xe8", Opcode.CLOSE))
            await is_disconnected(ending, "sloth", 1000)
        await ends_soon(ending, ana)


@pytest.mark.parametrize("ending", ["uvloop"], indirect=True)  # it takes the seconds in which he could read
async def test_one_who_has_been_cut_off_does_not_hold_up_the_end(ending: UvicornProcess) -> None:
    async with (
        Wire(ending.url, "ana", room="slow") as ana,
        Raw(ending.url, "sloth", room="slow", receive_buffer=4096),
    ):
        await fills("slow", 2000, ana)
        await is_disconnected(ending, "sloth", SLOW_READER)
        await ends_soon(ending, ana)


async def ends_soon(server: UvicornProcess, tab: Wire) -> None:
    """It stops, and says so to one who reads."""
    began = time.monotonic()
    await asyncio.to_thread(server.stop)
    assert time.monotonic() - began < 3
    assert await tab.hears_close() == RESTART
    assert complaints(server) == []


@pytest.mark.parametrize("loop", LOOPS)
async def test_one_who_falls_silent_is_missed_even_if_there_is_something_for_him_to_read(
    loop: str, tmp_path: Path, valkey_process: ValkeyProcess
) -> None:
    often = ["--ws-ping-interval", "0.2", "--ws-ping-timeout", "0.2"]
    with UvicornProcess(tmp_path, "--loop", loop, *often, **valkey_process.environment) as server:
        async with (
            Wire(server.url, "ana", room="slow") as ana,
            Raw(server.url, "sloth", room="slow", receive_buffer=4096),
        ):
            await fills("slow", 700, ana)
            await is_disconnected(server, "sloth", LOST)
        assert complaints(server) == []
