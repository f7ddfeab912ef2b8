"""`manage.py audit`: it names every breach of what must always hold, and mends what can be mended. And the sweep, which
sees to it that nothing is kept for too long where nobody does anything any more."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis

from aleatoria.catalog import RULES, key_families
from aleatoria.valkey.link import valkey
from chat import services
from tests.conftest import MakeTab, breaches
from tests.matchmaking.test_calls import meet
from tests.support.commands import Manage
from tests.support.histories import ANA_AND_BOB, ATTIC, moment, nanoseconds, wire
from tests.support.processes import ValkeyProcess

WAITING, LEASES = "available:webrtc", "{available:webrtc}:leases"
CALLS, CALLERS = "{available:webrtc}:pairs", "{available:webrtc}:callers"
LINES, LETTERS = "room:messages:attic", "dm:ana:bob"
HOUR = 60 * 60
LONG_AGO = wire(datetime.now(UTC) - timedelta(days=2))
plants = pytest.mark.plants


@pytest.fixture
def manage(keys: redis.Redis, valkey_process: ValkeyProcess, tmp_path: Path) -> Manage:
    """Commands on the Valkey of the test run."""
    return Manage(valkey_process.address, tmp_path)


@pytest.fixture
def world(keys: redis.Redis) -> redis.Redis:
    """A little of everything, as it should be: ana and bob in the attic, cat in a call with dan, eve waiting."""
    for user in ("ana", "bob"):
        keys.sadd("room:members:attic", user)
        keys.sadd(f"user:rooms:{user}", "attic")
        keys.expire(f"user:rooms:{user}", HOUR)
    keys.expire("room:members:attic", HOUR)
    for history in (ATTIC, ANA_AND_BOB):
        history.plant(keys, *(history.line(f"message {number}", moment(number)) for number in range(5)))
    keys.sadd(WAITING, "eve")
    keys.hset(CALLS, mapping={"cat": "dan", "dan": "cat"})
    keys.sadd(CALLERS, "cat")
    for user in ("cat", "dan", "eve"):
        leases(keys, user)
    for key in (WAITING, LEASES, CALLS, CALLERS):
        keys.expire(key, HOUR)
    return keys


def leases(keys: redis.Redis, user: str) -> object:
    """They have a lease."""
    return keys.zadd(LEASES, {user: time.time() + 45})


def snapshot(keys: redis.Redis) -> dict[bytes, object]:
    """All that is in Valkey."""
    names: list[bytes] = keys.keys("*")  # type: ignore[assignment] # redis-py's are for async clients too
    return {name: keys.dump(name) for name in names}


def in_room(line: str, score: float | None = None) -> Callable[[redis.Redis], object]:
    """Plants a line in the attic."""
    return lambda keys: keys.zadd(LINES, {line: nanoseconds(moment(9)) if score is None else score})


def in_letters(*lines: str) -> Callable[[redis.Redis], object]:
    """Plants lines at the end of what ana and bob wrote to each other."""
    return lambda keys: keys.rpush(LETTERS, *lines)


def elsewhere(line: str) -> str:
    """The same message, but in the cellar."""
    return line.replace('"room":"attic"', '"room":"cellar"')


class Case(NamedTuple):
    """What is planted into the world, and what is found of it: rule, key, and what is said begins with."""

    plant: Callable[[redis.Redis], object]
    found: list[tuple[str, str, str]]
    mended: bool = True


CASES = {
    # Any key
    "members that never expire": Case(
        lambda keys: keys.persist("room:members:attic"), [("expiry", "room:members:attic", "never expires")]
    ),
    "messages that never expire": Case(lambda keys: keys.persist(LINES), [("expiry", LINES, "never expires")]),
    "letters that never expire": Case(lambda keys: keys.persist(LETTERS), [("expiry", LETTERS, "never expires")]),
    "a pool that never expires": Case(lambda keys: keys.persist(WAITING), [("expiry", WAITING, "never expires")]),
    "calls that never expire": Case(lambda keys: keys.persist(CALLS), [("expiry", CALLS, "never expires")]),
    "totals that never expire": Case(
        lambda keys: keys.hset("stats:day:20200101", "messages", 1), [("expiry", "stats:day:20200101", "never expires")]
    ),
    "messages that are text": Case(
        lambda keys: keys.set("room:messages:cellar", "hello", ex=HOUR),
        [("type", "room:messages:cellar", "is a string, not a zset")],
    ),
    "letters that are a set": Case(
        lambda keys: keys.sadd("dm:cat:dan", "hello") and keys.expire("dm:cat:dan", HOUR),
        [("type", "dm:cat:dan", "is a set, not a list")],
    ),
    # Memberships
    "a member whose rooms do not have the room": Case(
        lambda keys: keys.sadd("room:members:attic", "zoe"),
        [("membership", "room:members:attic", "lists zoe, but their rooms do not include it")],
    ),
    "a room whose members do not have the user": Case(
        lambda keys: keys.sadd("user:rooms:ana", "cellar"),
        [("membership", "user:rooms:ana", "lists cellar, but its members do not include ana")],
    ),
    "a member of a room like a pattern": Case(
        lambda keys: keys.sadd("room:members:[a]*", "ana") and keys.expire("room:members:[a]*", HOUR),
        [("membership", "room:members:[a]*", "lists ana, but their rooms do not include it")],
    ),
    # Calls
    "a user in two calls": Case(
        lambda keys: leases(keys, "fay") and keys.hset(CALLS, "fay", "cat"),
        [("calls", CALLS, "fay is in a call with cat, but cat is in a call with dan")],
    ),
    "a pair one way only": Case(
        lambda keys: keys.hdel(CALLS, "dan"),
        [
            ("calls", CALLS, "cat is in a call with dan, but dan is in a call with nobody"),
            ("pool", LEASES, "dan has a lease, but neither waits nor is in a call"),
        ],
    ),
    "three in a ring": Case(
        lambda keys: leases(keys, "fay") and keys.hset(CALLS, mapping={"dan": "fay", "fay": "cat"}),
        [
            ("calls", CALLS, "cat is in a call with dan, but dan is in a call with fay"),
            ("calls", CALLS, "dan is in a call with fay, but fay is in a call with cat"),
            ("calls", CALLS, "fay is in a call with cat, but cat is in a call with dan"),
        ],
    ),
    "a call with oneself": Case(
        lambda keys: leases(keys, "fay") and keys.hset(CALLS, "fay", "fay"),
        [("calls", CALLS, "fay is in a call with themselves")],
    ),
    "two who both have asked": Case(
        lambda keys: keys.sadd(CALLERS, "dan"), [("calls", CALLERS, "cat and dan have the same role")]
    ),
    "two of whom neither has asked": Case(
        lambda keys: keys.srem(CALLERS, "cat"), [("calls", CALLERS, "cat and dan have the same role")]
    ),
    "a role without a call": Case(
        lambda keys: keys.sadd(CALLERS, "eve"), [("calls", CALLERS, "eve has requested a call, but is in none")]
    ),
    # The pool
    "waiting without a lease": Case(lambda keys: keys.sadd(WAITING, "fay"), [("pool", WAITING, "fay has no lease")]),
    "in a call without a lease": Case(lambda keys: keys.zrem(LEASES, "dan"), [("pool", CALLS, "dan has no lease")]),
    "a lease for nothing": Case(
        lambda keys: leases(keys, "fay"), [("pool", LEASES, "fay has a lease, but neither waits nor is in a call")]
    ),
    "waiting and in a call": Case(
        lambda keys: keys.sadd(WAITING, "cat"), [("pool", WAITING, "cat waits and is in a call")]
    ),
    # Lines of rooms
    "a line that is no JSON": Case(in_room("hello"), [("room line", LINES, "a line is not a message: ")]),
    "a line that is no text": Case(
        lambda keys: keys.zadd(LINES, {b"\xff": nanoseconds(moment(9))}),
        [("room line", LINES, "a line is not a message: ")],
    ),
    "a line that is no chat message": Case(
        in_room(ATTIC.line("hm", moment(9)).replace("chat_message", "hangup")),
        [("room line", LINES, "a line is not a chat message")],
    ),
    "a line by nobody": Case(
        in_room(ATTIC.line("hm", moment(9)).replace('"ana"', '"*"')),
        [("room line", LINES, "a line is not a chat message")],
    ),
    "a line that says nothing": Case(
        in_room(ATTIC.line("", moment(9))), [("room line", LINES, "a line is not a chat message")]
    ),
    "a line without a time": Case(in_room(ATTIC.line("hm", "")), [("room line", LINES, "a line is not a message: ")]),
    "a line with a date for a time": Case(
        in_room(ATTIC.line("hm", moment(9)[:10])), [("room line", LINES, "a line is not a message: ")]
    ),
    "a line with a local time": Case(
        in_room(ATTIC.line("hm", moment(9)[:-1])), [("room line", LINES, "a line is not a message: ")]
    ),
    "a line of another room": Case(
        in_room(elsewhere(ATTIC.line("hm", moment(9)))), [("room line", LINES, "a line belongs to the room 'cellar'")]
    ),
    "a line at another time": Case(
        in_room(ATTIC.line("hm", moment(9)), nanoseconds(moment(10_000))),
        [("room line", LINES, "a line has a score that is not its createTime")],
    ),
    # Lines of conversations
    "a letter of others": Case(
        in_letters(ANA_AND_BOB.line("hm", moment(9)).replace('"bob"', '"cat"')),
        [("direct line", LETTERS, "a line is from 'ana' to 'cat'")],
    ),
    "a letter to a room": Case(
        in_letters(ATTIC.line("hm", moment(9))), [("direct line", LETTERS, "a line is from 'ana' to ''")]
    ),
    "a letter that is no JSON": Case(in_letters("hello"), [("direct line", LETTERS, "a line is not a message: ")]),
    "a letter with a local time": Case(
        in_letters(ANA_AND_BOB.line("hm", moment(9)[:-1])), [("direct line", LETTERS, "a line is not a message: ")]
    ),
    "the same broken letter twice": Case(
        in_letters("hello", "hello"), [("direct line", LETTERS, "a line is not a message: ")] * 2
    ),
    "letters under ids in the wrong order": Case(
        lambda keys: keys.rpush("dm:bob:ana", ANA_AND_BOB.line("hm", moment(9))) and keys.expire("dm:bob:ana", HOUR),
        [("direct line", "dm:bob:ana", "a line is from 'ana' to 'bob'")],
    ),
    "letters out of order": Case(
        in_letters(ANA_AND_BOB.line("late", moment(2))),
        [("direct line", LETTERS, "is not sorted by createTime")],
        mended=False,
    ),
    # What should have gone
    "messages past their time": Case(
        lambda keys: ATTIC.plant(keys, *(ATTIC.line(f"old {number}", LONG_AGO) for number in range(3))),
        [("retention", LINES, "holds 3 expired messages")],
    ),
    "letters past their time": Case(
        lambda keys: keys.lpush(LETTERS, *(ANA_AND_BOB.line(f"old {number}", LONG_AGO) for number in range(3))),
        [("retention", LETTERS, "holds 3 expired messages")],
    ),
}
EACH = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def finding(rule: str, key: str, says: str) -> Callable[[dict[str, Any]], bool]:
    """Whether something found is this."""
    return lambda one: (one["rule"], one["key"]) == (rule, key) and one["says"].startswith(says)


def are(found: list[dict[str, Any]], expected: list[tuple[str, str, str]]) -> bool:
    """Whether just this is found, in any order."""
    in_order = sorted(found, key=lambda one: (one["rule"], one["key"], one["says"]))
    return len(found) == len(expected) and all(
        finding(*what)(one) for one, what in zip(in_order, sorted(expected), strict=True)
    )


# What is well


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


# What is not


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
    """Has six users wait, count as alive, be in calls and have asked for them, all at random."""
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


# Types

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
    assert 0 < keys.ttl(f"aleatoria:broken:{name}") <= 24 * HOUR
    assert (await manage("audit")).status == 0


@plants
async def test_a_mended_key_goes_after_a_day(world: redis.Redis, manage: Manage) -> None:
    world.persist("room:members:attic")
    await manage("audit", "--repair")
    assert 23 * HOUR < world.ttl("room:members:attic") <= 24 * HOUR
    assert 0 < world.ttl("user:rooms:ana") <= HOUR


@plants
async def test_a_users_own_rooms_decide_where_he_is(world: redis.Redis, manage: Manage) -> None:
    world.sadd("user:rooms:ana", "cellar")
    world.sadd("room:members:attic", "zoe")
    assert (await manage("audit", "--repair")).status == 0
    assert world.smembers("room:members:cellar") == {b"ana"}
    assert world.smembers("room:members:attic") == {b"ana", b"bob"}


@plants
async def test_a_control_character_in_a_key_does_not_reach_the_terminal(keys: redis.Redis, manage: Manage) -> None:
    keys.set("room:messages:\x1b[31m\nAll is well", "hello", ex=HOUR)
    ran = await manage("audit")
    assert (ran.status, len(ran.out.splitlines())) == (1, 2)
    assert "\x1b" not in ran.out


# While servers run


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


# The sweep


async def swept() -> None:
    """It has gone all the way round."""
    for _ in range(2):
        await services.sweep()
        while services._swept_to != b"0":
            await services.sweep()
    await valkey.execute("PING")  # behind what nobody waits for


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


async def test_the_sweep_goes_through_many_keys_a_few_at_a_time(tab: MakeTab, keys: redis.Redis) -> None:
    with keys.pipeline() as planting:
        for number in range(3 * services.SWEPT_AT_ONCE):
            planting.sadd(f"room:members:room {number}", "zoe")
            planting.expire(f"room:members:room {number}", HOUR)
        planting.execute()
    await swept()
    assert keys.keys("room:members:*") == []
