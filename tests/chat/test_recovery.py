"""What happens while Valkey is away, and right after it is back: nobody is told of a coming or going that is none."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from aleatoria.valkey.health import State
from chat.services import presence, sweep
from tests.conftest import MakeTab
from tests.support.here import here, link
from tests.support.processes import ValkeyProcess
from tests.support.tab import Frame, Tab
from tests.support.waiting import soon

ONLINE = "users:online"
ASKED = {"events": ["presence"]}
Away = Callable[[], None]


@pytest.fixture
def valkey_process(tmp_path: Path) -> Iterator[ValkeyProcess]:
    """A Valkey that forgets everything when it is killed."""
    with ValkeyProcess(tmp_path) as process:
        yield process


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the node renew many times a second who is online, and sweep as often."""
    monkeypatch.setattr(presence, "RENEW_EVERY", 0.05)
    monkeypatch.setattr(sweep, "EVERY", 0.05)


async def until(state: State) -> None:
    """Return when the node sees Valkey in that state."""
    await soon(lambda: link().health.state is state)


async def an_outage(process: ValkeyProcess) -> None:
    """Valkey is killed and comes back with nothing in it."""
    process.kill()
    await until(State.DOWN)
    process.start()
    await until(State.UP)


def status(frame: Frame) -> tuple[str, str]:
    """Who is what."""
    return frame["payload"]["userId"], frame["payload"]["status"]


def plant_a_ghost(keys: redis.Redis) -> None:
    """A member of the attic who is connected nowhere, and whose time is up."""
    for name, member in (("user:rooms:ghost", "attic"), ("room:members:attic", "ghost")):
        keys.sadd(name, member)
        keys.expire(name, 3600)
    keys.zadd(ONLINE, {"ghost": 1})
    keys.expire(ONLINE, 60)


# Right after


@pytest.mark.usefixtures("hasty")
async def test_who_was_connected_all_the_time_is_not_told_to_have_come(
    tab: MakeTab, keys: redis.Redis, valkey_process: ValkeyProcess
) -> None:
    async with tab("ana", room="attic"), tab("bob", room="attic") as bob:
        await bob.asks("hello", "welcome", payload=ASKED)
        await an_outage(valkey_process)
        # Valkey forgets it once more, so that a renewal finds both missing.
        keys.delete(ONLINE)
        await soon(lambda: set(keys.zrange(ONLINE, 0, -1)) == {b"ana", b"bob"})
        await bob.hears_nothing()


@pytest.mark.usefixtures("hasty")
async def test_nobody_is_taken_for_gone_until_every_process_has_said_who_is_there(
    tab: MakeTab, keys: redis.Redis, valkey_process: ValkeyProcess
) -> None:
    async with tab("bob", room="attic") as bob:
        await bob.asks("hello", "welcome", payload=ASKED)
        await an_outage(valkey_process)
        plant_a_ghost(keys)
        for seconds in (0, 20):
            link().health.back_at = time.time() - seconds
            for _ in range(3):
                await here().people.sweep_presence()
        assert keys.zscore(ONLINE, "ghost") == 1
        await bob.hears_nothing()
        link().health.back_at = time.time() - 26
        assert status(await bob.hears("user_status")) == ("ghost", "offline")


async def test_an_outage_ends_when_valkey_is_back_and_not_when_it_went_away(
    tab: MakeTab, valkey_process: ValkeyProcess
) -> None:
    assert link().health.back_at == 0
    valkey_process.kill()
    await until(State.DOWN)
    assert link().health.back_at == 0
    link().health.since -= 100
    valkey_process.start()
    await until(State.UP)
    assert abs(time.time() - link().health.back_at) < 10
    assert link().health.since == link().health.back_at


@pytest.mark.usefixtures("hasty")
async def test_who_comes_long_after_an_outage_is_told_of_again(
    tab: MakeTab, keys: redis.Redis, valkey_process: ValkeyProcess
) -> None:
    async with tab("ana", room="attic"), tab("bob", room="attic") as bob:
        await bob.asks("hello", "welcome", payload=ASKED)
        await an_outage(valkey_process)
        link().health.back_at = time.time() - 26
        keys.zrem(ONLINE, "ana")
        assert status(await bob.hears("user_status")) == ("ana", "online")


async def test_a_room_joined_meanwhile_has_its_member_when_clients_are_told(
    tab: MakeTab, valkey_process: ValkeyProcess
) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.asks("hello", "welcome", payload={"events": ["status"]})
        valkey_process.kill()
        await ana.hears("server_status")
        await ana.asks("join_room", "room_joined", room="zoo")
        valkey_process.start()
        assert (await ana.hears("server_status"))["payload"]["degraded"] is False
        for room in ("attic", "zoo"):
            listed = await ana.asks("get_members", "members_list", room=room)
            assert listed == {"room": room, "members": [{"userId": "ana", "online": True}]}


async def test_a_room_left_meanwhile_makes_place_for_one_joined_meanwhile(
    tab: MakeTab, keys: redis.Redis, valkey_process: ValkeyProcess, settings: Any
) -> None:
    settings.MAX_ROOMS_PER_USER = 1
    async with tab("ana", room="attic") as ana:
        keys.config_set("maxmemory", "1")
        await ana.says("noticed")
        await ana.hears("chat_message")
        await until(State.READ_ONLY)
        await ana.asks("leave_room", "room_left", room="attic")
        await ana.asks("join_room", "room_joined", room="zoo")
        keys.config_set("maxmemory", "0")
        await until(State.UP)
        await ana.hears_nothing()
        assert keys.smembers("user:rooms:ana") == {b"zoo"}
        assert keys.smembers("room:members:zoo") == {b"ana"}
        assert keys.exists("room:members:attic") == 0


# Meanwhile


@pytest.fixture(params=["killed", "hung"])
def away(request: pytest.FixtureRequest, valkey_process: ValkeyProcess) -> Away:
    """Makes Valkey go away."""
    return valkey_process.kill if request.param == "killed" else valkey_process.hang


async def answered(tab: Tab, kind: str, answer: str, **fields: Any) -> Any:
    """The payload of an answer that must come soon."""
    began = time.monotonic()
    payload = await tab.asks(kind, answer, **fields)
    assert time.monotonic() - began < 0.8
    return payload


async def test_members_are_those_who_are_connected_here_to_the_room(tab: MakeTab, away: Away) -> None:
    async with tab("bob", room="attic") as bob, tab("ana", room="attic"), tab("ana", room="attic"), tab("eve"):
        away()
        assert await answered(bob, "get_members", "members_list", room="attic") == {
            "room": "attic",
            "members": [{"userId": "ana", "online": True}, {"userId": "bob", "online": True}],
            "degraded": True,
        }


async def test_conversations_cannot_be_told(tab: MakeTab, away: Away) -> None:
    async with tab("ana") as ana:
        await ana.writes("bob", "hello")
        await ana.hears("chat_message")
        away()
        assert await answered(ana, "get_conversations", "conversations_list") == {
            "conversations": [],
            "degraded": True,
        }


@pytest.mark.parametrize("to", [{"room": "attic"}, {"toUser": "bob"}], ids=["room", "conversation"])
async def test_a_message_sent_again_counts_once(tab: MakeTab, valkey_process: ValkeyProcess, to: Frame) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        valkey_process.kill()
        await until(State.DOWN)
        await ana.sends("chat_message", messageId="m1", payload={"content": "once"}, **to)
        first = await ana.hears("chat_message")
        await ana.sends("chat_message", messageId="m1", payload={"content": "once"}, **to)
        assert await ana.hears("chat_message") == first
        assert await bob.hears_said() == "once"
        await bob.hears_nothing()


async def test_nobody_is_told_to_come_or_go(tab: MakeTab, valkey_process: ValkeyProcess) -> None:
    async with tab("bob", room="attic") as bob:
        await bob.asks("hello", "welcome", payload=ASKED)
        valkey_process.kill()
        await until(State.DOWN)
        async with tab("ana", room="attic") as ana:
            await ana.hears_nothing()
        await here().people.renew_presence()
        await here().people.sweep_presence()
        # What is told of ana is that she has joined the room.
        assert [status(frame) for frame in await bob.heard()] == [("ana", "online")]
