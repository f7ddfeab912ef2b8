"""What is in Valkey: the keys of rooms and messages, whose names and types other programs rely on, and beside them
with whom users have conversations, who is online, and how much is going on."""

import json

import redis

from tests.conftest import MakeTab
from tests.support.histories import ANA_AND_BOB, ATTIC, nanoseconds

DAY = 24 * 60 * 60 * 1000


def in_valkey(keys: redis.Redis) -> dict[str, str]:
    """Every key of what people are in and say, with its type."""
    names: list[bytes] = keys.keys("*")  # type: ignore[assignment] # redis-py's are for async clients too
    beside = (b"users:online", b"stats:")
    return {name.decode(): keys.type(name).decode() for name in names if not name.startswith(beside)}  # type: ignore[union-attr]


async def test_keys_have_the_names_and_types_that_other_programs_rely_on(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("bob", room="attic") as bob, tab("ana", room="café am Eck") as ana:
        await ana.asks("join_room", "room_joined", room="attic")
        await ATTIC.say(ana, "hello")
        await ANA_AND_BOB.say(ana, "psst")
        await bob.hears("chat_message")
        assert in_valkey(keys) == {
            "room:messages:attic": "zset",
            "room:members:attic": "set",
            "room:members:café am Eck": "set",
            "user:rooms:ana": "set",
            "user:rooms:bob": "set",
            "dm:ana:bob": "list",
            "user:dms:ana": "zset",
            "user:dms:bob": "zset",
        }
        assert keys.smembers("room:members:attic") == {b"ana", b"bob"}
        assert keys.smembers("user:rooms:ana") == {b"attic", "café am Eck".encode()}


async def test_a_rooms_messages_are_json_scored_by_the_nanoseconds_of_their_time(
    tab: MakeTab, keys: redis.Redis
) -> None:
    async with tab("ana", room="attic") as ana:
        heard = [await ATTIC.say(ana, str(number)) for number in range(20)]
        scored = keys.zrange("room:messages:attic", 0, -1, withscores=True)
        stored: list[tuple[bytes, float]] = scored  # type: ignore[assignment]
        assert [json.loads(line) for line, _ in stored] == heard
        # A score is a double: so near is as near as one comes.
        assert [score for _, score in stored] == [float(nanoseconds(message["createTime"])) for message in heard]
        assert len({score for _, score in stored}) == 20


async def test_direct_messages_are_a_list_of_json_oldest_first(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("bob") as bob:
        for content in ("1", "2", "3"):
            await bob.writes("ana", content)
            await bob.hears("chat_message")
        stored: list[bytes] = keys.lrange("dm:ana:bob", 0, -1)  # type: ignore[assignment]
        assert [json.loads(line)["payload"] for line in stored] == [{"content": number} for number in ("1", "2", "3")]
        assert all(json.loads(line)["fromUser"] == "bob" for line in stored)


async def test_who_is_online_is_kept_beside_them_for_a_minute(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana"), tab("bob"):
        assert keys.zrange("users:online", 0, -1) == [b"ana", b"bob"]
        assert 50_000 < keys.pttl("users:online") <= 60_000


async def test_every_key_goes_a_day_after_its_last_sign_of_life(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic") as ana:
        await ATTIC.say(ana, "hello")
        await ANA_AND_BOB.say(ana, "psst")
        for name in in_valkey(keys):
            assert DAY - 10_000 < keys.pttl(name) <= DAY, name


async def test_when_the_last_one_has_left_a_silent_room_it_is_gone(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        for one in (ana, bob):
            await one.asks("leave_room", "room_left", room="attic")
        assert in_valkey(keys) == {}


async def test_reading_refusing_and_going_leave_no_key(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic") as ana:
        await ATTIC.page(ana)
        await ANA_AND_BOB.page(ana)
        await ana.says("let me in", room="cellar")
        await ana.hears("error")
        await ana.asks("leave_room", "room_left", room="cellar")
        await ana.asks("leave_room", "room_left", room="attic")
    assert in_valkey(keys) == {}
