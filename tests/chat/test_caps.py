"""What is bounded in Valkey and in each command, with each bound reached."""

import json
from typing import Any

import pytest
import redis

from aleatoria.wire import clock
from chat.services import sweep
from chat.services.sweep import Sweep
from chat.store.conversations import Conversations
from chat.store.direct_history import DirectHistory
from chat.store.membership import ValkeyMembership
from chat.store.presence import Presence
from tests.conftest import MakeTab
from tests.support.audit_cases import LONG_AGO
from tests.support.here import link
from tests.support.histories import ANA_AND_BOB, contents, moment

HOUR = 3600
MINUTE = 60_000_000


@pytest.fixture(autouse=True)
def no_chores_of_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is swept but by the tests."""
    monkeypatch.setattr(sweep, "EVERY", HOUR)


async def all_done() -> None:
    """Commands are run in order: when this one has been, so have those that nobody waits for."""
    await link().execute("PING")


def scripts_run(keys: redis.Redis) -> int:
    """How many scripts Valkey has run by their digests."""
    return int(keys.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"])


# Rooms


@pytest.mark.plants
async def test_one_sweep_looks_at_a_thousand_members_of_a_room(tab: MakeTab, keys: redis.Redis) -> None:
    keys.sadd("room:members:attic", *(f"gone{number}" for number in range(1500)))
    keys.expire("room:members:attic", HOUR)
    ValkeyMembership(link()).sweep("attic")
    await all_done()
    assert keys.scard("room:members:attic") == 500


async def test_one_stretch_of_the_sweep_looks_at_some_of_very_many_keys(tab: MakeTab, keys: redis.Redis) -> None:
    keys.mset({f"{{somebody else}} {number}": "" for number in range(1500)})
    walk = Sweep(link())
    await walk()
    assert walk.cursor != b"0"


async def test_a_thousand_members_of_a_room_are_listed_and_no_more(tab: MakeTab, keys: redis.Redis) -> None:
    with keys.pipeline() as planting:
        for number in range(1100):
            planting.sadd("room:members:attic", f"guest{number}")
            planting.sadd(f"user:rooms:guest{number}", "attic")
            planting.expire(f"user:rooms:guest{number}", HOUR)
        planting.expire("room:members:attic", HOUR)
        planting.execute()
    async with tab("ana", room="attic") as ana:
        members = (await ana.asks("get_members", "members_list", room="attic"))["members"]
        assert len(members) == len({one["userId"] for one in members}) == 1000


# Who is online


async def test_very_many_users_are_renewed_by_several_scripts(tab: MakeTab, keys: redis.Redis) -> None:
    users = [f"user{number}" for number in range(1200)]
    before = scripts_run(keys)
    assert sorted(await Presence(link()).renew(users)) == sorted(users)
    assert scripts_run(keys) - before == 3
    assert keys.zcard("users:online") == 1200
    assert await Presence(link()).renew(users) == []


async def test_a_hundred_users_at_once_are_taken_for_gone(tab: MakeTab, keys: redis.Redis) -> None:
    keys.zadd("users:online", {f"user{number}": 1 for number in range(150)})
    keys.expire("users:online", HOUR)
    gone = [await Presence(link()).sweep() for _ in range(3)]
    assert [len(users) for users in gone] == [100, 50, 0]
    assert len({user for users in gone for user in users}) == 150


# Conversations


async def test_a_user_has_a_thousand_conversations_and_those_of_long_ago_go(tab: MakeTab, keys: redis.Redis) -> None:
    now = clock.now()
    keys.zadd("user:dms:ana", {f"friend{number}": now - number for number in range(1100)})
    keys.expire("user:dms:ana", HOUR)
    async with tab("ana") as ana:
        await ana.writes("bob", "hello")
        await ana.hears("chat_message")
    assert keys.zcard("user:dms:ana") == 1000
    assert keys.zscore("user:dms:ana", "friend998")
    assert keys.zscore("user:dms:ana", "friend999") is None


async def test_conversations_that_have_expired_go_with_the_next_message(tab: MakeTab, keys: redis.Redis) -> None:
    keys.zadd("user:dms:ana", {"old friend": 1, "friend": clock.now() - 23 * 60 * MINUTE})
    keys.expire("user:dms:ana", HOUR)
    async with tab("ana") as ana:
        await ana.writes("bob", "hello")
        await ana.hears("chat_message")
    assert set(keys.zrange("user:dms:ana", 0, -1)) == {b"friend", b"bob"}


async def test_a_hundred_conversations_are_listed_and_no_more(tab: MakeTab, keys: redis.Redis) -> None:
    now = clock.now()
    for number in range(120):
        created = clock.text(now - number * 1000)
        line = ANA_AND_BOB.line("hello", created).replace('"bob"', f'"friend{number}"')
        keys.rpush(f"dm:ana:friend{number}", line)
        keys.expire(f"dm:ana:friend{number}", HOUR)
        keys.zadd("user:dms:ana", {f"friend{number}": now - number * 1000})
    keys.expire("user:dms:ana", HOUR)
    async with tab("ana") as ana:
        listed = (await ana.asks("get_conversations", "conversations_list"))["conversations"]
        assert [one["withUser"] for one in listed] == [f"friend{number}" for number in range(100)]


@pytest.mark.parametrize(("own", "unread"), [(990, 5), (1010, 0)], ids=["within a thousand", "behind a thousand"])
async def test_unread_messages_are_looked_for_among_the_last_thousand(
    tab: MakeTab, keys: redis.Redis, own: int, unread: int
) -> None:
    now = clock.now() - MINUTE
    lines = [ANA_AND_BOB.line(f"from ana {number}", clock.text(now + number)) for number in range(5)]
    answers = [ANA_AND_BOB.line(f"from bob {number}", clock.text(now + 5 + number)) for number in range(own)]
    swapped = [line.replace('"fromUser":"ana","', '"fromUser":"bob","') for line in answers]
    ANA_AND_BOB.plant(keys, *lines, *(line.replace('"toUser":"bob"', '"toUser":"ana"') for line in swapped))
    keys.zadd("user:dms:bob", {"ana": now})
    keys.expire("user:dms:bob", HOUR)
    async with tab("bob") as bob:
        (listed,) = (await bob.asks("get_conversations", "conversations_list"))["conversations"]
        assert listed["unread"] == unread


async def test_what_was_read_of_conversations_that_are_no_more_is_forgotten(tab: MakeTab, keys: redis.Redis) -> None:
    keys.zadd("user:dms:ana", {"bob": clock.now(), "cat": clock.now()})
    for other in ("cat", *(f"friend{number}" for number in range(1998))):
        keys.hset("user:read:ana", other, moment(0))
    for name in ("user:dms:ana", "user:read:ana"):
        keys.expire(name, HOUR)
    read = Conversations(link())
    read.mark_read("ana", "bob", moment(1))
    await all_done()
    assert keys.hlen("user:read:ana") == 2000
    keys.hset("user:read:ana", "one friend more", moment(0))
    read.mark_read("ana", "bob", moment(2))
    await all_done()
    assert keys.hgetall("user:read:ana") == {b"bob": moment(2).encode(), b"cat": moment(0).encode()}


async def test_one_sweep_drops_a_thousand_expired_messages_of_a_conversation(tab: MakeTab, keys: redis.Redis) -> None:
    ANA_AND_BOB.plant(keys, *(ANA_AND_BOB.line(str(number), LONG_AGO) for number in range(1500)))
    direct = DirectHistory(link())
    direct.sweep(ANA_AND_BOB.key)
    await all_done()
    assert keys.llen(ANA_AND_BOB.key) == 500
    direct.sweep(ANA_AND_BOB.key)
    await all_done()


@pytest.mark.plants
async def test_a_late_message_goes_before_a_thousand_later_ones_and_no_more(tab: MakeTab, keys: redis.Redis) -> None:
    ANA_AND_BOB.plant(keys, *(ANA_AND_BOB.line(str(number), moment(1 + number)) for number in range(1500)))
    late = ANA_AND_BOB.line("late", moment(0))
    await DirectHistory(link()).append("ana", "bob", late, [], created=moment(0), mark=None)
    assert json.loads(keys.lindex(ANA_AND_BOB.key, 500) or "")["messageId"] == "late"


async def test_a_message_that_is_late_makes_no_conversation_too_long(
    tab: MakeTab, keys: redis.Redis, settings: Any
) -> None:
    settings.ROOM_HISTORY_MAX = 5
    ANA_AND_BOB.plant(keys, *(ANA_AND_BOB.line(str(number), moment(1 + number)) for number in range(5)))
    late = ANA_AND_BOB.line("late", moment(0))
    await DirectHistory(link()).append("ana", "bob", late, [], created=moment(0), mark=None)
    assert contents(ANA_AND_BOB.kept(keys)) == ["0", "1", "2", "3", "4"]
