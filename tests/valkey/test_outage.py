"""Valkey goes away, in every way it can, while people talk; and comes back."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from aleatoria.valkey.health import State
from tests.conftest import MakeTab
from tests.support.here import link
from tests.support.outages import OUTAGES, Do, mortal, valkey_process, warnings
from tests.support.processes import ValkeyProcess
from tests.support.waiting import until

__all__ = ["mortal", "valkey_process"]  # fixtures
PEOPLE, ROOMS, A_SECOND = 50, 10, 200
WARNING = "Valkey/Redis connection failed: "


@OUTAGES
@pytest.mark.timeout(60)
async def test_nobody_misses_a_word_while_valkey_is_away(
    tab: MakeTab, mortal: ValkeyProcess, caplog: pytest.LogCaptureFixture, leave: Do, back: Do
) -> None:
    """50 sockets send 200 messages a second; nothing is lost, late or doubled, whatever Valkey does."""
    seconds = 6
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(tab(f"p{n}", room=f"r{n % ROOMS}")) for n in range(PEOPLE)]
        worst = 0.0
        heard: list[list[str]] = [[] for _ in people]

        async def listen(n: int) -> None:
            nonlocal worst
            for _ in range(seconds * A_SECOND // ROOMS):
                content = await people[n].hears_said()
                heard[n].append(content)
                worst = max(worst, time.monotonic() - float(content.split()[1]))

        async def speak() -> None:
            for number in range(seconds * A_SECOND):
                who = number % PEOPLE
                await people[who].says(f"{number} {time.monotonic()}", room=f"r{who % ROOMS}")
                await asyncio.sleep(1 / A_SECOND)

        async def interfere() -> None:
            await asyncio.sleep(1)
            leave(mortal)
            await until(State.DOWN, 2)
            await asyncio.sleep(1)
            back(mortal)
            await until(State.UP, 2)

        await asyncio.gather(speak(), interfere(), *(listen(n) for n in range(PEOPLE)))
        for n, contents in enumerate(heard):
            assert len(set(contents)) == seconds * A_SECOND // ROOMS, f"p{n} missed some"
        assert worst < 2
        said = warnings(caplog)
        assert len(said) == 1
        assert said[0].startswith(WARNING)
        assert said[0].endswith(". Will operate with degraded functionality.")


@OUTAGES
async def test_one_may_come_and_read_at_any_moment_of_an_outage(
    tab: MakeTab, mortal: ValkeyProcess, leave: Do, back: Do
) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("kept")
        await ana.hears("chat_message")
        leave(mortal)
        for n in range(5):
            began = time.monotonic()
            async with tab(f"new{n}", room="attic") as new:
                assert time.monotonic() - began < 0.5
                await new.says("hello")
                assert await new.hears_said() == "hello"
                assert await ana.hears_said() == "hello"
                for kind, answer, fields in (
                    ("get_recent_messages", "recent_messages", {"room": "attic"}),
                    ("get_direct_messages", "direct_messages", {"payload": {"withUser": "ana"}}),
                ):
                    began = time.monotonic()
                    payload = await new.asks(kind, answer, **fields)
                    assert time.monotonic() - began < 0.5
                    assert payload["messages"] == []
                    assert payload["degraded"] is True
            await asyncio.sleep(0.3)
        back(mortal)


@OUTAGES
async def test_those_who_asked_are_told_of_the_outage_and_of_the_gap(
    tab: MakeTab, mortal: ValkeyProcess, leave: Do, back: Do
) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        assert (await ana.asks("hello", "welcome", payload={"events": ["status"]}))["degraded"] is False
        leave(mortal)
        # A hung Valkey is noticed by what it does not answer.
        await bob.says("anybody?")
        assert {(await ana.hears_frame())["type"] for _ in range(2)} == {"server_status", "chat_message"}
        await until(State.DOWN, 2)
        back(mortal)
        assert (await ana.hears("server_status"))["payload"] == {"degraded": False, "gap": True}
        assert await bob.hears_said() == "anybody?"
        await bob.hears_nothing()


@OUTAGES
async def test_what_was_kept_is_there_again_and_what_is_said_is_kept_again(
    tab: MakeTab, mortal: ValkeyProcess, leave: Do, back: Do
) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("before")
        await ana.hears("chat_message")
        leave(mortal)
        await until(State.DOWN, 3)
        await ana.says("meanwhile")
        await ana.hears("chat_message")
        back(mortal)
        await until(State.UP, 2)
        await ana.says("after")
        await ana.hears("chat_message")
        history = await ana.asks("get_recent_messages", "recent_messages", room="attic")
        assert [message["payload"]["content"] for message in history["messages"]] == ["after", "before"]
        assert "degraded" not in history


@OUTAGES
async def test_memberships_of_the_outage_are_written_back(
    tab: MakeTab, mortal: ValkeyProcess, leave: Do, back: Do
) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        leave(mortal)
        await until(State.DOWN, 3)
        await ana.asks("join_room", "room_joined", room="cellar")
        await bob.asks("leave_room", "room_left", room="attic")
        await bob.asks("join_room", "room_joined", room="zoo")
        await bob.closes()
        async with tab("bob") as bob_again:
            assert await bob_again.asks("get_rooms", "rooms_list") == {"rooms": ["zoo"]}
        back(mortal)
        await until(State.UP, 3)
        await ana.asks("get_recent_messages", "recent_messages", room="attic")
        assert mortal.client.smembers("user:rooms:ana") == {b"attic", b"cellar"}
        assert mortal.client.smembers("user:rooms:bob") == {b"zoo"}
        assert mortal.client.smembers("room:members:attic") == {b"ana"}
        assert mortal.client.smembers("room:members:zoo") == {b"bob"}
        assert all(mortal.client.pttl(key) > 0 for key in mortal.client.scan_iter())


async def test_a_valkey_that_lost_everything_learns_who_is_where(tab: MakeTab, tmp_path: Path) -> None:
    with ValkeyProcess(tmp_path) as forgetful:
        await link().stop()
        link().address = forgetful.address
        await link().start()
        async with tab("ana", room="attic"):
            forgetful.kill()
            await until(State.DOWN, 2)
            forgetful.start()
            await until(State.UP, 2)
            assert await link().execute("SMEMBERS", "room:members:attic") == [b"ana"]


async def test_losing_only_the_subscribed_connection_loses_no_message(tab: MakeTab, mortal: ValkeyProcess) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        mortal.client.client_kill_filter(_type="pubsub")
        for n in range(20):
            await ana.says(f"{n}")
            assert await bob.hears_said() == f"{n}"
            assert await ana.hears_said() == f"{n}"
        await until(State.UP, 3)
        await bob.hears_nothing()
