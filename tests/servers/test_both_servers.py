"""However the frames of a client come in, on whichever server: ours on daphne, and ours on uvicorn."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from tests.support.processes import ServerProcess, UvicornProcess, ValkeyProcess
from tests.support.raw import Raw, fragments, framed
from tests.support.tab import LOST, strictly
from tests.support.wire import Wire

PROTOCOL_ERROR = 1002
MALFORMED = 4400
SERVERS: dict[str, Any] = {
    "daphne": (ServerProcess,),
    "uvicorn with uvloop": (UvicornProcess, "--loop", "uvloop"),
    "uvicorn with asyncio": (UvicornProcess, "--loop", "asyncio"),
}
PING = framed(b"are you there?", Opcode.PING)
PONG = Frame(Opcode.PONG, b"are you there?")


@pytest.fixture(scope="module", params=SERVERS)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, valkey_process: ValkeyProcess
) -> Iterator[ServerProcess]:
    """One of each for all tests."""
    kind, *options = SERVERS[request.param]
    with kind(tmp_path_factory.mktemp("one"), *options, **valkey_process.environment) as server:
        yield server
        assert "Traceback" not in server.logged()


def saying(content: str) -> str:
    """A message to the attic."""
    return json.dumps({"type": "chat_message", "room": "attic", "payload": {"content": content}})


def contents(heard: list[Frame | None]) -> list[str]:
    """What the messages among the frames say."""
    texts = [bytes(frame.data).decode() for frame in heard if frame is not None and frame.opcode is Opcode.TEXT]
    return [strictly(text)["payload"]["content"] for text in texts]


async def is_there_alone(other: Wire) -> None:
    """Returns when the server has read what has been sent to it up to now, so that the next byte comes alone.

    It reads all sockets that have something, then it waits for more: one pong may come while it still reads, not two.
    """
    await other.pings()
    await other.pings()


# In pieces of any size


@pytest.mark.parametrize(
    "frames",
    [
        [framed(saying("hello"))],
        [*fragments(saying("hello")[:30], saying("hello")[30:])],
        [framed(saying("hello" + "x" * 200))],
        [framed(b"ping", Opcode.PING), framed(saying("hello")), framed(b"pong", Opcode.PONG)],
    ],
    ids=["a short one", "fragments", "one of two bytes' length", "control frames around it"],
)
async def test_a_message_may_come_byte_by_byte(running: ServerProcess, frames: list[bytes]) -> None:
    async with Wire(running.url, "bob", room="attic") as bob, Raw(running.url, "ana", room="attic") as ana:
        for byte in b"".join(frames):
            ana.puts(bytes([byte]))
            await is_there_alone(bob)
        assert (await bob.hears_said()).startswith("hello")
        await bob.hears_nothing()


@pytest.mark.parametrize("cut", [1, 2, 5, 6, 7, -1], ids="cut at {}".format)
async def test_a_segment_may_end_within_a_frame(running: ServerProcess, cut: int) -> None:
    data = b"".join(framed(saying(f"message {number}")) for number in range(3))
    last = framed(saying("the last one"))
    async with Wire(running.url, "bob", room="attic") as bob, Raw(running.url, "ana", room="attic") as ana:
        ana.puts(data, last[:cut])
        assert [await bob.hears_said() for _ in range(3)] == [f"message {number}" for number in range(3)]
        ana.puts(last[cut:], framed(saying("and one behind it")))
        assert [await bob.hears_said() for _ in range(2)] == ["the last one", "and one behind it"]


async def test_what_looks_like_a_message_within_a_ping_is_none(running: ServerProcess) -> None:
    inner = framed(saying("poison"))
    outer = bytes([0x89, 0x80 | len(inner)]) + bytes(4) + inner  # masked with zeros
    async with Wire(running.url, "bob", room="attic") as bob, Raw(running.url, "ana", room="attic") as ana:
        ana.puts(outer[:6])
        await is_there_alone(bob)
        ana.puts(outer[6:])
        assert await ana.sees() == Frame(Opcode.PONG, inner)
        await bob.hears_nothing()


async def test_what_looks_like_a_message_within_a_head_is_none(running: ServerProcess) -> None:
    # Its length is 0x81 and a byte that could be the length of a text, which begins behind the same mask.
    text = saying("poison").encode()
    size = 0x8180 + len(text)
    outer = b"\x82\xfe" + size.to_bytes(2, "big") + bytes(4) + text.ljust(size)
    async with Wire(running.url, "bob", room="attic") as bob, Raw(running.url, "ana", room="attic") as ana:
        ana.puts(outer[:2])
        await is_there_alone(bob)
        ana.puts(outer[2:])
        assert (await ana.hears("error_response"))["payload"]["code"] == "malformed"
        await bob.hears_nothing()


async def test_many_messages_may_come_in_one_segment_with_a_ping_between_them(running: ServerProcess) -> None:
    texts = [f"message {number}" for number in range(100)]
    frames = [framed(saying(text)) for text in texts]
    async with Raw(running.url, "ana", room="attic") as ana:
        ana.puts(*frames[:50], PING, *frames[50:])
        heard = [await ana.sees() for _ in range(101)]
        assert heard.count(PONG) == 1
        assert contents(heard) == texts


# Fragments


async def test_a_message_in_fragments_is_one_with_a_ping_between_them(running: ServerProcess) -> None:
    text = saying("in three")
    first, second, third = fragments(text[:10], text[10:20], text[20:])
    async with Raw(running.url, "ana", room="attic") as ana:
        ana.puts(framed(saying("before")), first, PING, second, third, framed(saying("behind")))
        heard = [await ana.sees() for _ in range(4)]
        assert heard.count(PONG) == 1
        assert contents(heard) == ["before", "in three", "behind"]


async def test_fragments_may_be_empty_and_cut_a_character_in_two(running: ServerProcess) -> None:
    text = '{"type":"chat_message","room":"attic","payload":{"content":"ü"}}'.encode()
    cut = text.index("ü".encode()) + 1
    async with Raw(running.url, "ana", room="attic") as ana:
        ana.puts(*fragments(b"", text[:cut], b"", text[cut:], b""))
        assert await ana.hears_said() == "ü"


# What fails the connection


REFUSED = {
    "not masked": [Frame(Opcode.TEXT, b"{}").serialize(mask=False)],
    "a reserved bit": [b"\xc1" + framed(saying("poison"))[1:]],
    "another reserved bit": [b"\x91" + framed(saying("poison"))[1:]],
    "no such opcode": [framed(saying("poison")).replace(b"\x81", b"\x83", 1)],
    "a text within a message": [fragments("a", "b")[0], framed(saying("poison"))],
    "a text within a message, in one segment": [fragments("a", "b")[0] + framed(saying("poison"))],
    "a binary frame within a message": [fragments("a", "b")[0], framed(b"poison", Opcode.BINARY)],
    "a continuation of nothing": [framed(saying("poison"), Opcode.CONT)],
    "a ping in fragments": [framed(b"", Opcode.PING).replace(b"\x89", b"\x09", 1)],
}


@pytest.mark.parametrize("frames", REFUSED.values(), ids=REFUSED)
async def test_an_offence_fails_the_connection_and_what_was_before_it_counts(
    running: ServerProcess, frames: list[bytes]
) -> None:
    async with Wire(running.url, "bob", room="attic") as bob, Raw(running.url, "ana", room="attic") as ana:
        ana.puts(framed(saying("before")))
        for frame in frames:
            await is_there_alone(bob)
            ana.puts(frame)
        code = await ana.hears_close()
        # autobahn drops the connection, as it may.
        assert code == (PROTOCOL_ERROR if isinstance(running, UvicornProcess) else LOST)
        assert await bob.hears_said() == "before"
        await bob.hears_nothing()


async def test_what_is_answered_before_a_close_of_the_server_arrives_before_it(running: ServerProcess) -> None:
    async with Raw(running.url, "eve") as eve:
        eve.puts(*[framed("poison")] * 25)
        for _ in range(20):
            assert (await eve.hears("error_response"))["payload"]["code"] == "malformed"
        assert await eve.hears_close() == MALFORMED
