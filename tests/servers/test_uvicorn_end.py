"""How a connection to uvicorn ends, and how uvicorn itself does: nobody is taken for somebody who has left."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from websockets.frames import Opcode

from tests.servers.conftest import LOOPS
from tests.servers.messages import (
    RESTART,
    SLOW_READER,
    fills,
    is_disconnected,
    message_of,
)
from tests.support.calls import OFFER, is_missed, meet, role_of, signals
from tests.support.processes import UvicornProcess, ValkeyProcess
from tests.support.raw import Raw, framed
from tests.support.tab import LOST
from tests.support.wire import Wire

MALFORMED = 4400


@pytest.mark.parametrize("loss", [Raw.drops, Raw.resets], ids=["an end without a close", "a reset"])
async def test_a_call_survives_that_a_connection_is_lost(
    uvicorn: UvicornProcess, keys: redis.Redis, loss: Callable[[Raw], None]
) -> None:
    async with Wire(uvicorn.url, "bob") as bob:
        async with Raw(uvicorn.url, "ana") as ana:
            await meet(ana, bob)
            loss(ana)
            await is_missed("ana", keys)
        await bob.hears_nothing()
        async with Wire(uvicorn.url, "ana") as ana_again:
            await ana_again.sends("request_random_peer")
            assert await role_of(ana_again) == ("impolite", "bob")
            await signals(ana_again, bob, "webrtc_offer", OFFER)


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(("said", "code"), [(b"\x03\xe8", 1000), (b"\x03\xe9", 1001), (b"", 1005)])
async def test_a_clean_close_ends_the_call(uvicorn: UvicornProcess, said: bytes, code: int) -> None:
    async with Wire(uvicorn.url, "bob") as bob, Raw(uvicorn.url, f"ana{code}") as ana:
        await meet(ana, bob)
        ana.puts(framed(said, Opcode.CLOSE))
        assert (await bob.hears("hangup"))["fromUser"] == ana.user
        assert await ana.hears_close() == code
        await is_disconnected(uvicorn, ana.user, code)


async def test_a_close_of_the_client_is_echoed_and_ends_the_connection(uvicorn: UvicornProcess) -> None:
    async with Wire(uvicorn.url, "bob", room="attic") as bob, Raw(uvicorn.url, "ana", room="attic") as ana:
        ana.puts(framed(message_of(200)), framed(b"\x0f\x9fenough", Opcode.CLOSE), framed(message_of(300)))
        assert await ana.hears_close() == 3999
        assert await ana.sees() is None
        assert await bob.hears_said() == "big"
        await bob.hears_nothing()


async def test_what_is_answered_before_a_close_of_the_server_arrives_before_it(uvicorn: UvicornProcess) -> None:
    async with Raw(uvicorn.url, "eve") as eve:
        eve.puts(*[framed("poison")] * 25)
        for _ in range(20):
            assert (await eve.hears("error_response"))["payload"]["code"] == "malformed"
        assert await eve.hears_close() == MALFORMED
        eve.puts(framed("poison"), framed(MALFORMED.to_bytes(2, "big"), Opcode.CLOSE))
        assert await eve.sees() is None


async def test_one_who_goes_on_talking_after_a_close_of_the_server_is_not_listened_to(uvicorn: UvicornProcess) -> None:
    async with Raw(uvicorn.url, "eve") as eve:
        eve.puts(*[framed("poison")] * 25)
        assert await eve.hears_close() == MALFORMED
        eve.puts(*[framed("poison" * 200)] * 2000, framed(MALFORMED.to_bytes(2, "big"), Opcode.CLOSE))
        assert await eve.sees() is None


async def test_when_the_server_ends_all_hear_that_it_restarts(mortal_uvicorn: UvicornProcess) -> None:
    async with (
        Wire(mortal_uvicorn.url, "ana", room="attic") as ana,
        Wire(mortal_uvicorn.url, "bob", room="attic") as bob,
    ):
        await ana.says("before")
        assert await bob.hears_said() == "before"
        mortal_uvicorn.stop()
        assert [await one.hears_close() for one in (ana, bob)] == [RESTART, RESTART]
    assert mortal_uvicorn.complaints() == []


@pytest.mark.parametrize("has_closed", [False, True], ids=["who is behind", "who has closed"])
async def test_one_who_does_not_read_does_not_hold_up_the_end(
    mortal_uvicorn: UvicornProcess, *, has_closed: bool
) -> None:
    async with (
        Wire(mortal_uvicorn.url, "ana", room="slow") as ana,
        Raw(mortal_uvicorn.url, "sloth", room="slow", receive_buffer=4096) as sloth,
    ):
        await fills("slow", 700, ana)
        if has_closed:
            sloth.puts(framed(b"\x03\xe8", Opcode.CLOSE))
            await is_disconnected(mortal_uvicorn, "sloth", 1000)
        await ends_soon(mortal_uvicorn, ana)


@pytest.mark.parametrize(
    "mortal_uvicorn", ["uvloop"], indirect=True
)  # it takes all the seconds that the client has to read
async def test_one_who_has_been_cut_off_does_not_hold_up_the_end(mortal_uvicorn: UvicornProcess) -> None:
    async with (
        Wire(mortal_uvicorn.url, "ana", room="slow") as ana,
        Raw(mortal_uvicorn.url, "sloth", room="slow", receive_buffer=4096),
    ):
        await fills("slow", 2000, ana)
        await is_disconnected(mortal_uvicorn, "sloth", SLOW_READER)
        await ends_soon(mortal_uvicorn, ana)


async def ends_soon(server: UvicornProcess, tab: Wire) -> None:
    """It stops, and says so to one who reads."""
    began = time.monotonic()
    await asyncio.to_thread(server.stop)
    assert time.monotonic() - began < 3
    assert await tab.hears_close() == RESTART
    assert server.complaints() == []


@pytest.mark.parametrize("loop", LOOPS)
async def test_one_who_falls_silent_is_missed_even_if_there_is_something_for_them_to_read(
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
        assert server.complaints() == []
