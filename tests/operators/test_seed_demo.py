"""`manage.py seed_demo` fills Valkey with made-up rooms."""

from typing import Any

import redis

from tests.conftest import MakeTab, breaches
from tests.support.commands import Manage
from tests.support.purging import names


async def test_a_demo_has_what_is_asked_for(keys: redis.Redis, manage: Manage) -> None:
    assert await manage("seed_demo", "--yes", "--rooms", "12", "--messages", "100", "--users", "20") == (
        0, "Added 12 rooms with 100 messages of up to 20 users.\n", "",
    )  # fmt: skip
    rooms = await manage.json("inspect_rooms")
    assert len(rooms) == 12
    assert sum(room["messages"] for room in rooms) == 100
    assert all(1 <= room["members"] <= 12 for room in rooms)
    assert all(room["newest"] for room in rooms)
    users = {name for name in names(keys) if name.startswith("user:rooms:")}
    assert 2 <= len(users) <= 20
    assert breaches(keys) == []
    assert (await manage("audit")).status == 0


async def test_a_demo_is_read_like_any_other_room(tab: MakeTab, manage: Manage) -> None:
    await manage("seed_demo", "--yes", "--rooms", "1", "--messages", "30", "--users", "3")
    async with tab("ana", room="attic 1") as ana:
        await ana.sends("get_recent_messages", room="attic 1", payload={"limit": 200})
        messages = (await ana.hears("recent_messages"))["payload"]["messages"]
        assert len(messages) == 30
        times = [message["createTime"] for message in messages]
        assert times == sorted(times, reverse=True)


async def test_seeding_twice_does_no_harm(keys: redis.Redis, manage: Manage) -> None:
    for _ in range(2):
        assert (await manage("seed_demo", "--yes", "--rooms", "3", "--messages", "2", "--users", "1")).status == 0
    assert breaches(keys) == []
    assert len(await manage.json("inspect_rooms")) == 3


async def test_nobody_is_in_more_rooms_than_allowed(keys: redis.Redis, settings: Any, manage: Manage) -> None:
    settings.MAX_ROOMS_PER_USER = 2
    await manage("seed_demo", "--yes", "--rooms", "10", "--messages", "10", "--users", "1")
    assert keys.scard("user:rooms:guest-0") == 2
    assert breaches(keys) == []


async def test_where_debug_is_off_it_asks_for_yes(keys: redis.Redis, settings: Any, manage: Manage) -> None:
    settings.DEBUG = False
    ran = await manage("seed_demo", "--rooms", "1", "--messages", "1")
    assert (ran.status, ran.out) == (1, "")
    assert "--yes" in ran.err
    assert names(keys) == set()


async def test_where_debug_is_on_it_does_not_ask(keys: redis.Redis, settings: Any, manage: Manage) -> None:
    settings.DEBUG = True
    assert (await manage("seed_demo", "--rooms", "1", "--messages", "1")).status == 0
    assert len(names(keys)) > 0


async def test_what_has_been_seeded_can_be_purged(keys: redis.Redis, manage: Manage) -> None:
    await manage("seed_demo", "--yes", "--rooms", "3", "--messages", "30", "--users", "5")
    for room in await manage.json("inspect_rooms"):
        assert (await manage("purge", "room", room["name"], "--yes")).status == 0
    assert names(keys) == set()
