"""What only the pool in Valkey has: keys that expire, steps of bounded length, and the write-back of a user."""

import time
from typing import Any

import pytest
import redis

from aleatoria.node import Node
from matchmaking.store import pool
from matchmaking.store.pool import Standing, ValkeyPool

WAITING, LEASES, PAIRS, CALLERS = pool.KEYS


@pytest.fixture
def shared(node: Node) -> ValkeyPool:
    """The pool in Valkey."""
    return ValkeyPool(node.link, time.time)


async def test_every_sign_of_life_keeps_the_keys_for_an_hour(shared: ValkeyPool, keys: redis.Redis) -> None:
    def are_kept(*names: str) -> bool:
        kept = all(3590 < keys.ttl(name) <= 3600 for name in names)
        for name in names:
            keys.expire(name, 60)
        return kept

    await shared.offer("bob")
    assert are_kept(WAITING, LEASES)
    await shared.request("ana", "")
    assert are_kept(LEASES, PAIRS, CALLERS)
    await shared.request("ana", "")
    assert are_kept(LEASES, PAIRS, CALLERS)
    await shared.renew(["ana"])
    assert are_kept(LEASES, PAIRS, CALLERS)
    await shared.restore(Standing("ana", "bob", "impolite"))
    assert are_kept(LEASES, PAIRS, CALLERS)
    await shared.request("cleo", "")
    assert are_kept(*pool.KEYS)
    await shared.restore(Standing("cleo"))
    assert are_kept(*pool.KEYS)


async def test_a_sweep_takes_out_a_hundred_at_a_time(shared: ValkeyPool, keys: redis.Redis) -> None:
    ghosts = [f"ghost{number}" for number in range(150)]
    keys.sadd(WAITING, *ghosts)
    keys.zadd(LEASES, dict.fromkeys(ghosts, 1))
    assert [len(await shared.sweep()) for _ in range(3)] == [100, 50, 0]
    assert not keys.exists(*pool.KEYS)


# What a process knows of a user, written over what Valkey holds


def lease(keys: Any, user: str) -> float:
    """Return how many seconds a user's lease still has."""
    return float(keys.zscore(LEASES, user)) - time.time()


async def test_the_second_of_two_who_write_back_does_not_shorten_the_lease_of_the_first(
    shared: ValkeyPool, keys: redis.Redis
) -> None:
    parted, held = await shared.restore(Standing("ana", "bob", "impolite"))
    assert (parted.peer, held) == ("", True)
    assert 40 < lease(keys, "ana") <= 45
    assert 25 < lease(keys, "bob") <= 30
    await shared.restore(Standing("bob", "ana", "polite"))
    assert all(40 < lease(keys, user) <= 45 for user in ("ana", "bob"))
    assert keys.smembers(CALLERS) == {b"ana"}


async def test_one_who_is_gone_is_taken_out_and_their_call_ends(shared: ValkeyPool, keys: redis.Redis) -> None:
    await shared.offer("bob")
    await shared.request("ana", "")
    parted, held = await shared.restore(Standing("ana", gone=True))
    assert (parted.peer, held) == ("bob", True)
    assert not keys.exists(*pool.KEYS)
    await shared.offer("cleo")
    parted, held = await shared.restore(Standing("cleo", gone=True))
    assert (parted.peer, held) == ("", True)
    assert not keys.exists(*pool.KEYS)


async def test_one_whose_peer_is_in_another_call_is_in_none(shared: ValkeyPool, keys: redis.Redis) -> None:
    await shared.offer("cleo")
    await shared.request("ana", "")
    await shared.offer("bob")
    parted, held = await shared.restore(Standing("bob", "ana", "polite"))
    assert (parted.peer, held) == ("", False)
    assert keys.hgetall(PAIRS) == {b"ana": b"cleo", b"cleo": b"ana"}
    assert not keys.exists(WAITING)
    assert keys.zscore(LEASES, "bob") is None


async def test_one_whose_peer_waits_is_in_a_call_only_when_the_same_process_says_so(
    shared: ValkeyPool, keys: redis.Redis
) -> None:
    await shared.offer("ana")
    parted, held = await shared.restore(Standing("bob", "ana", "polite"))
    assert (parted.peer, held) == ("", False)
    assert keys.smembers(WAITING) == {b"ana"}
    parted, held = await shared.restore(Standing("bob", "ana", "polite", speaks_for_peer=True))
    assert (parted.peer, held) == ("", True)
    assert not keys.exists(WAITING)
    assert keys.smembers(CALLERS) == {b"ana"}


async def test_one_who_waits_leaves_the_call_that_valkey_holds(shared: ValkeyPool, keys: redis.Redis) -> None:
    await shared.offer("bob")
    await shared.request("ana", "")
    parted, held = await shared.restore(Standing("bob"))
    assert (parted.peer, held) == ("ana", True)
    assert parted.at > 1_700_000_000_000_000
    assert keys.smembers(WAITING) == {b"bob"}
    assert not keys.exists(PAIRS, CALLERS)


async def test_the_roles_of_two_who_have_met_again_meanwhile_are_the_new_ones(
    shared: ValkeyPool, keys: redis.Redis
) -> None:
    await shared.offer("bob")
    await shared.request("ana", "")
    await shared.restore(Standing("ana", "bob", "polite"))
    assert keys.smembers(CALLERS) == {b"bob"}
    assert keys.hgetall(PAIRS) == {b"ana": b"bob", b"bob": b"ana"}
