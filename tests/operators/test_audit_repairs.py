"""What a repair of the audit leaves in Valkey, and the audit while servers run."""

import pytest
import redis

from aleatoria.catalog import RULES, key_families
from tests.conftest import MakeTab
from tests.support.audit_cases import CALLERS, CALLS, HOUR, WAITING, leases
from tests.support.calls import meet
from tests.support.commands import Manage

plants = pytest.mark.plants


RIGHT_TYPES = {family.prefix: family.type for family in key_families()}


@plants
@pytest.mark.parametrize("prefix", RIGHT_TYPES)
async def test_a_key_of_the_wrong_type_is_set_aside_for_a_while(keys: redis.Redis, manage: Manage, prefix: str) -> None:
    name = f"{prefix}x:y" if prefix.endswith(":") else prefix
    keys.xadd(name, {"field": "value"})
    keys.expire(name, HOUR)
    found = {"rule": "type", "key": name, "says": f"is a stream, not a {RIGHT_TYPES[prefix]}"}
    ran = await manage("audit", "--json")
    assert (ran.status, ran.json) == (1, [found | {"repaired": False}])
    assert await manage.json("audit", "--repair") == [found | {"repaired": True}]
    assert not keys.exists(name)
    assert keys.xlen(f"aleatoria:broken:{name}") == 1
    assert 23 * HOUR < keys.ttl(f"aleatoria:broken:{name}") <= 24 * HOUR
    assert (await manage("audit")).status == 0


@plants
async def test_a_mended_key_goes_after_a_day(world: redis.Redis, manage: Manage) -> None:
    world.persist("room:members:attic")
    await manage("audit", "--repair")
    assert 23 * HOUR < world.ttl("room:members:attic") <= 24 * HOUR
    assert 0 < world.ttl("user:rooms:ana") <= HOUR


@plants
async def test_a_users_own_rooms_decide_where_they_are_a_member(world: redis.Redis, manage: Manage) -> None:
    world.sadd("user:rooms:ana", "cellar")
    world.sadd("room:members:attic", "zoe")
    assert (await manage("audit", "--repair")).status == 0
    assert world.smembers("room:members:cellar") == {b"ana"}
    assert world.smembers("room:members:attic") == {b"ana", b"bob"}


@plants
async def test_who_has_joined_or_left_since_the_audit_is_left_where_they_are(world: redis.Redis) -> None:
    world.sadd("room:members:attic", "zoe")
    world.sadd("user:rooms:ana", "cellar")
    found = list(RULES["membership"](world))
    assert len(found) == 2
    world.sadd("user:rooms:zoe", "attic")
    world.srem("user:rooms:ana", "cellar")
    for breach in found:
        assert breach.repair is not None
        breach.repair()
    assert world.smembers("room:members:attic") == {b"ana", b"bob", b"zoe"}
    assert world.smembers("user:rooms:ana") == {b"attic"}
    assert not world.exists("room:members:cellar")


@plants
async def test_a_control_character_in_a_key_does_not_reach_the_terminal(keys: redis.Redis, manage: Manage) -> None:
    keys.set("room:messages:\x1b[31m\nAll is well", "hello", ex=HOUR)
    ran = await manage("audit")
    assert (ran.status, len(ran.out.splitlines())) == (1, 2)
    assert "\x1b" not in ran.out


@plants
async def test_one_in_a_call_stays_in_it_whatever_others_entries_say(
    tab: MakeTab, keys: redis.Redis, manage: Manage
) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        leases(keys, "zoe")
        keys.hset(CALLS, "zoe", "ana")
        keys.sadd(WAITING, "yan")
        assert (await manage("audit", "--repair")).status == 0
        assert keys.hgetall(CALLS) == {b"ana": b"bob", b"bob": b"ana"}
        await bob.sends("hangup", toUser="ana")
        assert (await ana.hears("hangup"))["fromUser"] == "bob"


async def test_as_an_operator_runs_it(world: redis.Redis, manage: Manage) -> None:
    assert manage.process("audit") == (0, f"No breaches. {len(RULES)} rules were checked.\n", "")
    world.sadd(CALLERS, "eve")
    ran = manage.process("audit", "--json")
    assert (ran.status, ran.err, len(ran.json)) == (1, "", 1)
    ran = manage.process("audit", "--repair")
    assert (ran.status, ran.err) == (0, "")
    assert manage.shell("manage audit | head -1").out == f"No breaches. {len(RULES)} rules were checked.\n"
