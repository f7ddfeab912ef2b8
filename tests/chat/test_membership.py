"""Who is in which room: the contract of both stores, what only the kept one does, and the limit as a socket sees it."""

from typing import Any

import pytest
import redis

from chat.store import membership
from chat.store.membership import Membership, MemoryMembership, TooManyRooms, ValkeyMembership
from tests.conftest import MakeTab
from tests.support.here import link

DAY = 24 * 60 * 60 * 1000


@pytest.fixture(params=["memory", "valkey"])
def store(request: pytest.FixtureRequest, tab: MakeTab) -> Membership:
    """An empty one of either kind."""
    return MemoryMembership() if request.param == "memory" else ValkeyMembership(link())


@pytest.fixture
def kept(tab: MakeTab) -> ValkeyMembership:
    """An empty one in Valkey."""
    return ValkeyMembership(link())


async def all_done() -> None:
    """Commands are run in order: when this one has been, so have those that nobody waits for."""
    await link().execute("PING")


# Both


async def test_a_user_who_has_joined_is_in_the_room(store: Membership) -> None:
    assert await store.rooms("ana") == set()
    await store.join("ana", "attic")
    await store.join("ana", "café am Eck")
    assert await store.rooms("ana") == {"attic", "café am Eck"}


async def test_joining_again_is_the_same(store: Membership) -> None:
    await store.join("ana", "attic")
    await store.join("ana", "attic")
    assert await store.rooms("ana") == {"attic"}
    await store.leave("ana", "attic")
    assert await store.rooms("ana") == set()


async def test_leaving_ends_one_membership_of_one_user(store: Membership) -> None:
    for user in ("ana", "bob"):
        for room in ("attic", "cellar"):
            await store.join(user, room)
    await store.leave("ana", "attic")
    assert await store.rooms("ana") == {"cellar"}
    assert await store.rooms("bob") == {"attic", "cellar"}


async def test_leaving_where_one_never_was_changes_nothing(store: Membership) -> None:
    await store.leave("ana", "attic")
    await store.join("ana", "cellar")
    await store.leave("ana", "attic")
    assert await store.rooms("ana") == {"cellar"}


async def test_one_may_come_back_to_a_room_one_has_left(store: Membership) -> None:
    await store.join("ana", "attic")
    await store.leave("ana", "attic")
    await store.join("ana", "attic")
    assert await store.rooms("ana") == {"attic"}


async def test_nobody_is_in_more_rooms_than_allowed(store: Membership, settings: Any) -> None:
    settings.MAX_ROOMS_PER_USER = 2
    await store.join("ana", "attic")
    await store.join("ana", "cellar")
    with pytest.raises(TooManyRooms):
        await store.join("ana", "zoo")
    assert await store.rooms("ana") == {"attic", "cellar"}
    await store.join("bob", "zoo")


async def test_a_user_in_as_many_rooms_as_allowed_may_join_those_again(store: Membership, settings: Any) -> None:
    settings.MAX_ROOMS_PER_USER = 1
    await store.join("ana", "attic")
    await store.join("ana", "attic")
    assert await store.rooms("ana") == {"attic"}


async def test_leaving_makes_place_for_another_room(store: Membership, settings: Any) -> None:
    settings.MAX_ROOMS_PER_USER = 1
    await store.join("ana", "attic")
    await store.leave("ana", "attic")
    await store.join("ana", "zoo")
    assert await store.rooms("ana") == {"zoo"}


# In Valkey


async def test_both_sets_change_together(kept: ValkeyMembership, keys: redis.Redis) -> None:
    await kept.join("ana", "attic")
    await kept.join("bob", "attic")
    assert keys.smembers("room:members:attic") == {b"ana", b"bob"}
    assert keys.smembers("user:rooms:ana") == {b"attic"}
    await kept.leave("ana", "attic")
    assert keys.smembers("room:members:attic") == {b"bob"}
    await kept.leave("bob", "attic")
    assert keys.keys("*") == []


async def test_one_too_many_changes_neither_set(kept: ValkeyMembership, keys: redis.Redis, settings: Any) -> None:
    settings.MAX_ROOMS_PER_USER = 1
    await kept.join("ana", "attic")
    with pytest.raises(TooManyRooms):
        await kept.join("ana", "zoo")
    assert sorted(keys.keys("*")) == [b"room:members:attic", b"user:rooms:ana"]


async def test_membership_is_kept_for_a_day(kept: ValkeyMembership, keys: redis.Redis) -> None:
    await kept.join("ana", "attic")
    for name in ("room:members:attic", "user:rooms:ana"):
        assert DAY - 10_000 < keys.pttl(name) <= DAY


async def test_a_sign_of_life_is_good_for_another_day(kept: ValkeyMembership, keys: redis.Redis) -> None:
    await kept.join("ana", "attic")
    for name in ("room:members:attic", "user:rooms:ana"):
        keys.pexpire(name, 60_000)
    kept.renew("ana", {"attic"})
    await all_done()
    for name in ("room:members:attic", "user:rooms:ana"):
        assert keys.pttl(name) > DAY - 10_000


async def test_a_sign_of_life_brings_nobody_back_to_a_room_that_they_have_left(
    kept: ValkeyMembership, keys: redis.Redis
) -> None:
    await kept.join("ana", "attic")
    await kept.join("ana", "zoo")
    await kept.leave("ana", "attic")
    kept.renew("ana", ["attic", "zoo"])
    await all_done()
    assert sorted(keys.keys("*")) == [b"room:members:zoo", b"user:rooms:ana"]


async def test_a_sign_of_life_makes_a_room_know_its_member_again(kept: ValkeyMembership, keys: redis.Redis) -> None:
    await kept.join("ana", "attic")
    keys.delete("room:members:attic")
    kept.renew("ana", ["attic"])
    await all_done()
    assert keys.smembers("room:members:attic") == {b"ana"}
    assert keys.pttl("room:members:attic") > 0


async def test_a_sign_of_life_of_somebody_unknown_leaves_no_key(kept: ValkeyMembership, keys: redis.Redis) -> None:
    kept.renew("ana", ["attic"])
    await all_done()
    assert keys.keys("*") == []


async def test_who_has_been_away_too_long_is_swept_out_and_nobody_else(
    kept: ValkeyMembership, keys: redis.Redis
) -> None:
    for user in ("ana", "bob", "eve"):
        await kept.join(user, "attic")
    await kept.join("eve", "zoo")
    keys.delete("user:rooms:bob")
    kept.sweep("attic")
    await all_done()
    assert keys.smembers("room:members:attic") == {b"ana", b"eve"}
    assert keys.smembers("user:rooms:eve") == {b"attic", b"zoo"}


async def test_sweeping_an_empty_room_leaves_no_key(kept: ValkeyMembership, keys: redis.Redis) -> None:
    kept.sweep("attic")
    await all_done()
    assert keys.keys("*") == []


async def test_what_happened_during_an_outage_is_written_back(kept: ValkeyMembership, keys: redis.Redis) -> None:
    await kept.join("ana", "attic")
    await kept.join("ana", "cellar")
    kept.write_back("ana", joined={"cellar", "zoo"}, left={"attic"})
    assert await kept.rooms("ana") == {"cellar", "zoo"}
    assert keys.exists("room:members:attic") == 0
    for name in ("room:members:cellar", "room:members:zoo", "user:rooms:ana"):
        assert keys.pttl(name) > DAY - 10_000


async def test_writing_back_makes_place_before_it_fills_it(kept: ValkeyMembership, settings: Any) -> None:
    settings.MAX_ROOMS_PER_USER = 1
    await kept.join("ana", "attic")
    kept.write_back("ana", joined={"zoo"}, left={"attic"})
    assert await kept.rooms("ana") == {"zoo"}


async def test_writing_back_obeys_the_limit_without_a_word(kept: ValkeyMembership, settings: Any) -> None:
    settings.MAX_ROOMS_PER_USER = 1
    await kept.join("ana", "attic")
    kept.write_back("ana", joined={"attic", "zoo"}, left=())
    assert await kept.rooms("ana") == {"attic"}


# In memory


async def test_memory_corrects_what_valkey_has_not_been_told_yet() -> None:
    memory = MemoryMembership()
    memory.remember("ana", ["attic", "cellar"])
    await memory.leave("ana", "attic")
    await memory.join("ana", "zoo")
    assert memory.amend("ana", {"attic", "cellar", "lobby"}) == {"cellar", "lobby", "zoo"}
    assert memory.amend("bob", {"attic"}) == {"attic"}


async def test_memory_gives_what_it_knows_once() -> None:
    memory = MemoryMembership()
    memory.remember("ana", ["attic", "cellar"])
    await memory.leave("ana", "attic")
    assert memory.take_all() == [("ana", {"cellar"}, {"attic"})]
    assert memory.take_all() == []
    assert await memory.rooms("ana") == set()


async def test_memory_forgets_those_who_have_been_quiet_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "MAX_REMEMBERED", 2)
    memory = MemoryMembership()
    for user, room in (("ana", "attic"), ("bob", "attic"), ("ana", "zoo"), ("eve", "attic")):
        await memory.join(user, room)
    assert [user for user, *_ in memory.take_all()] == ["ana", "eve"]


# As a socket sees the limit


async def test_one_room_too_many_is_refused_and_the_others_stay(tab: MakeTab, settings: Any) -> None:
    settings.MAX_ROOMS_PER_USER = 2
    async with tab("ana", room="attic") as ana, tab("bob", room="zoo") as bob:
        await ana.asks("join_room", "room_joined", room="cellar")
        refused = await ana.asks("join_room", "error", room="zoo", messageId="m1")
        assert (refused["code"], refused["inReplyTo"]) == ("too_many_rooms", "m1")
        assert refused["error"] == "You've reached the limit of 2 rooms. Leave one first."
        await bob.says("is ana here?", room="zoo")
        await ana.hears_nothing()
        assert await ana.asks("get_rooms", "rooms_list") == {"rooms": ["attic", "cellar"]}
        assert (await ana.asks("chat_message", "error", room="zoo", payload={"content": "?"}))["code"] == "not_in_room"


async def test_a_room_joined_again_is_not_one_too_many(tab: MakeTab, settings: Any) -> None:
    settings.MAX_ROOMS_PER_USER = 1
    async with tab("ana", room="attic") as ana:
        await ana.asks("join_room", "room_joined", room="attic")
        await ana.asks("leave_room", "room_left", room="attic")
        await ana.asks("join_room", "room_joined", room="zoo")


async def test_a_user_who_connects_for_one_room_too_many_is_told_and_stays_in_their_own(
    tab: MakeTab, settings: Any
) -> None:
    settings.MAX_ROOMS_PER_USER = 1
    async with tab("ana", room="attic"):
        pass
    async with tab("ana", room="zoo") as ana, tab("bob", room="zoo") as bob, tab("eve", room="attic") as eve:
        refused = (await ana.hears("error"))["payload"]
        assert refused["code"] == "too_many_rooms"
        assert refused["error"] == "You've reached the limit of 1 room. Leave one first."
        await bob.says("is ana here?", room="zoo")
        await eve.says("is ana here?", room="attic")
        assert await ana.hears_said() == "is ana here?"
        await ana.hears_nothing()
        assert await ana.asks("get_rooms", "rooms_list") == {"rooms": ["attic"]}
        assert (await ana.asks("chat_message", "error", room="zoo", payload={"content": "?"}))["code"] == "not_in_room"


async def test_membership_survives_a_restart_of_the_server(tab: MakeTab) -> None:
    async with tab("ana", room="attic"):
        pass
    await link().stop()
    await link().start()
    async with tab("ana") as ana:
        assert await ana.asks("get_rooms", "rooms_list") == {"rooms": ["attic"]}


async def test_coming_back_is_a_sign_of_life(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic"):
        pass
    for name in ("room:members:attic", "user:rooms:ana"):
        keys.pexpire(name, 60_000)
    async with tab("ana") as ana:
        await ana.hears_nothing()
        for name in ("room:members:attic", "user:rooms:ana"):
            assert keys.pttl(name) > DAY - 10_000
