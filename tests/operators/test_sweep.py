"""The sweep deletes what has expired, also in rooms and conversations that nobody uses."""

import redis

from chat.services import sweep
from tests.conftest import MakeTab, breaches
from tests.support.audit_cases import HOUR, LETTERS, LINES, LONG_AGO
from tests.support.commands import Manage
from tests.support.here import here, link
from tests.support.histories import ANA_AND_BOB, ATTIC


async def swept() -> None:
    """Run the sweep until it has visited every key."""
    walk = here().people.chat.sweep
    for _ in range(2):
        await walk()
        while walk.cursor != b"0":
            await walk()
    await link().execute("PING")  # answered after the writes that the sweep does not wait for


async def test_the_sweep_drops_what_has_expired_where_nobody_speaks(
    tab: MakeTab, world: redis.Redis, manage: Manage
) -> None:
    for history in (ATTIC, ANA_AND_BOB):
        old = [history.line(f"old {number}", LONG_AGO) for number in range(3)]
        new = history.kept(world)
        history.drop_oldest(world, len(new))
        history.plant(world, *old, *(history.line(message["messageId"], message["createTime"]) for message in new))
    await swept()
    for history in (ATTIC, ANA_AND_BOB):
        kept = [message["messageId"] for message in history.kept(world)]
        assert kept == [f"message {number}" for number in range(5)]
    assert breaches(world) == []


async def test_where_all_has_expired_the_sweep_leaves_no_key(tab: MakeTab, keys: redis.Redis) -> None:
    for history in (ATTIC, ANA_AND_BOB):
        history.plant(keys, history.line("old", LONG_AGO))
    await swept()
    assert not keys.exists(LINES, LETTERS)


async def test_the_sweep_takes_out_members_whose_own_rooms_have_expired(tab: MakeTab, world: redis.Redis) -> None:
    for room in ("attic", "[a]*"):
        world.sadd(f"room:members:{room}", "zoe", "yan")
        world.expire(f"room:members:{room}", HOUR)
    await swept()
    assert world.smembers("room:members:attic") == {b"ana", b"bob"}
    assert not world.exists("room:members:[a]*")
    assert world.smembers("user:rooms:ana") == {b"attic"}
    assert breaches(world) == []


async def test_the_sweep_takes_out_members_who_are_in_other_rooms_only(tab: MakeTab, world: redis.Redis) -> None:
    world.sadd("user:rooms:zoe", "garden")
    world.sadd("room:members:garden", "zoe")
    for key in ("user:rooms:zoe", "room:members:garden"):
        world.expire(key, HOUR)
    world.sadd("room:members:attic", "zoe")
    await swept()
    assert world.smembers("room:members:attic") == {b"ana", b"bob"}
    assert world.smembers("room:members:garden") == {b"zoe"}


async def test_the_sweep_goes_through_many_keys_a_few_at_a_time(tab: MakeTab, keys: redis.Redis) -> None:
    with keys.pipeline() as planting:
        for number in range(3 * sweep.AT_ONCE):
            planting.sadd(f"room:members:room {number}", "zoe")
            planting.expire(f"room:members:room {number}", HOUR)
        planting.execute()
    await swept()
    assert keys.keys("room:members:*") == []
