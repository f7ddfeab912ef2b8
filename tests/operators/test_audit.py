"""`manage.py audit` prints every breach of what must always hold, and repairs what can be repaired."""

import random

import pytest
import redis

from aleatoria.catalog import RULES
from tests.conftest import MakeTab, breaches
from tests.support.audit_cases import (
    CALLERS,
    CALLS,
    CASES,
    HOUR,
    LEASES,
    LETTERS,
    LINES,
    WAITING,
    Case,
    are,
    leases,
    snapshot,
)
from tests.support.calls import meet
from tests.support.commands import Manage
from tests.support.histories import ANA_AND_BOB, ATTIC, moment

plants = pytest.mark.plants
EACH = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.mark.parametrize("repair", [[], ["--repair"]], ids=["looking", "repairing"])
async def test_where_all_is_well_it_says_so_and_changes_nothing(
    world: redis.Redis, manage: Manage, repair: list[str]
) -> None:
    before = snapshot(world)
    assert await manage("audit", *repair) == (0, f"No breaches. {len(RULES)} rules were checked.\n", "")
    assert await manage.json("audit", *repair) == []
    assert snapshot(world) == before


async def test_an_empty_valkey_is_well(manage: Manage) -> None:
    assert (await manage("audit")).status == 0


async def test_what_people_do_is_well_at_every_moment(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="*") as bob, tab("cat") as cat:
        assert await manage.json("audit") == []
        await ATTIC.say(ana, "hello")
        await ANA_AND_BOB.say(ana, "psst")
        await bob.hears("chat_message")
        await bob.asks("join_room", "room_joined", room="attic")
        await meet(ana, bob)
        await cat.asks("request_random_peer", "no_peer_available")
        assert await manage.json("audit") == []
        await bob.asks("leave_room", "room_left", room="*")
        await bob.sends("hangup", toUser="ana")
        await ana.hears("hangup")
        assert await manage.json("audit") == []
    assert await manage.json("audit") == []


@plants
async def test_keys_that_are_not_ours_are_no_business_of_ours(keys: redis.Redis, manage: Manage) -> None:
    keys.set("someone else's", "for ever")
    keys.set(b"\xff\xfe", "binary")
    keys.lpush("room", "not ours either")
    before = snapshot(keys)
    assert (await manage("audit", "--repair")).status == 0
    assert snapshot(keys) == before


@plants
@EACH
async def test_a_breach_is_named_and_left_as_it_is(world: redis.Redis, manage: Manage, case: Case) -> None:
    case.plant(world)
    before = snapshot(world)
    ran = await manage("audit", "--json")
    assert ran.status == 1
    assert are(ran.json, case.found), ran.json
    assert not any(one["repaired"] for one in ran.json)
    ran = await manage("audit")
    assert ran.status == 1
    lines = ran.out.splitlines()
    assert sorted(lines[:-1]) == sorted(f"{rule}: {key} {says}" for rule, key, says in case.found) or any(
        says.endswith(": ") for *_, says in case.found
    )
    assert all(any(line.startswith(f"{rule}: {key} {says}") for line in lines) for rule, key, says in case.found)
    assert lines[-1].startswith(f"Breaches: {len(case.found)}. ")
    assert snapshot(world) == before


@plants
@EACH
async def test_a_breach_is_mended_where_it_can_be(world: redis.Redis, manage: Manage, case: Case) -> None:
    case.plant(world)
    ran = await manage("audit", "--repair", "--json")
    assert ran.status == (0 if case.mended else 1)
    assert all(one["repaired"] is case.mended for one in ran.json)
    ran = await manage("audit", "--json")
    assert ran.status == (0 if case.mended else 1)
    assert are(ran.json, [] if case.mended else case.found)
    assert breaches(world) == [f"{rule}: {key} {says}" for rule, key, says in ([] if case.mended else case.found)]


HARMLESS = {
    name: case
    for name, case in CASES.items()
    if {rule for rule, *_ in case.found} <= {"room line", "direct line", "retention"} and case.mended
}


@plants
@pytest.mark.parametrize("case", HARMLESS.values(), ids=HARMLESS)
async def test_a_repair_takes_out_broken_lines_and_nothing_else(world: redis.Redis, manage: Manage, case: Case) -> None:
    before = snapshot(world)
    case.plant(world)
    await manage("audit", "--repair")
    assert snapshot(world) == before


@plants
async def test_a_repair_says_that_it_has_mended_all(world: redis.Redis, manage: Manage) -> None:
    world.sadd(CALLERS, "eve")
    world.sadd("room:members:attic", "zoe")
    ran = await manage("audit", "--repair")
    assert ran.status == 0
    assert sorted(ran.out.splitlines()[:-1]) == [
        "calls: {available:webrtc}:callers eve has requested a call, but is in none (repaired)",
        "membership: room:members:attic lists zoe, but their rooms do not include it (repaired)",
    ]
    assert ran.lines[-1] == "Breaches: 2. All were repaired."


@plants
async def test_a_repair_says_what_is_left(world: redis.Redis, manage: Manage) -> None:
    world.sadd(CALLERS, "eve")
    world.rpush(LETTERS, ANA_AND_BOB.line("late", moment(2)))
    ran = await manage("audit", "--repair")
    assert ran.status == 1
    assert ran.lines[-1].startswith("Breaches: 1. ")


@plants
async def test_all_at_once_is_mended_in_one_go(world: redis.Redis, manage: Manage) -> None:
    for case in CASES.values():
        if case.mended:
            case.plant(world)
    ran = await manage("audit", "--json")
    assert {one["rule"] for one in ran.json} == set(RULES)
    await manage("audit", "--repair")
    assert breaches(world) == []
    assert ATTIC.kept(world) == ATTIC.kept(world)[-5:]
    assert [line["messageId"] for line in ANA_AND_BOB.kept(world)] == [f"message {number}" for number in range(5)]


@plants
async def test_what_has_come_right_by_itself_is_not_mended(world: redis.Redis) -> None:
    for case in CASES.values():
        case.plant(world)
    found = [breach for rule in RULES.values() for breach in rule(world)]
    assert len(found) > 30
    world.flushall()
    for breach in found:
        if breach.repair is not None:
            breach.repair()
    assert snapshot(world) == {}


@plants
async def test_a_key_that_is_of_the_right_type_again_is_not_set_aside(keys: redis.Redis) -> None:
    keys.set(LINES, "hello", ex=HOUR)
    (breach,) = RULES["type"](keys)
    keys.delete(LINES)
    ATTIC.plant(keys, ATTIC.line("hello", moment(1)))
    assert breach.repair is not None
    breach.repair()
    assert len(ATTIC.kept(keys)) == 1


def disorder(keys: redis.Redis, chance: random.Random) -> None:
    """Write random entries of six users into the four keys of the pool."""
    users = "abcdef"
    some = [[user for user in users if chance.random() < 0.4] for _ in range(4)]
    for key, chosen in zip((WAITING, CALLERS), some[:2], strict=True):
        if chosen:
            keys.sadd(key, *chosen)
    for user in some[2]:
        keys.hset(CALLS, user, chance.choice(users))
    for user in some[3]:
        leases(keys, user)
    for key in (WAITING, LEASES, CALLS, CALLERS):
        keys.expire(key, HOUR)


@plants
async def test_a_pool_in_any_disorder_is_mended_in_one_go(keys: redis.Redis, manage: Manage) -> None:
    for seed in range(50):
        keys.flushall()
        disorder(keys, random.Random(seed))
        assert (await manage("audit", "--repair")).status == 0, seed
        assert breaches(keys) == [], seed
