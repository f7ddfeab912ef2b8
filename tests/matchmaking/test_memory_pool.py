"""What only the pool in memory has: it remembers what users were doing, and gives it back when the outage is over."""

import pytest

from matchmaking.store.memory_pool import MemoryPool
from matchmaking.store.pool import Standing


@pytest.fixture
def pool() -> MemoryPool:
    """An empty pool, for which no time passes."""
    return MemoryPool(lambda: 1000.0)


def given_back(pool: MemoryPool) -> set[Standing]:
    """Return what the pool gives back, without regard to the order."""
    taken = pool.take_all()
    assert len(set(taken)) == len(taken)
    return set(taken)


async def test_what_is_remembered_is_given_back_once(pool: MemoryPool) -> None:
    remembered = [Standing("ana", "bob", "impolite"), Standing("cleo"), Standing("eve", "dan", "polite")]
    pool.remember(remembered)
    assert await pool.count() == (1, 2)
    assert given_back(pool) == set(remembered)
    assert given_back(pool) == set()
    assert await pool.count() == (0, 0)
    assert [await pool.peer(user) for user in ("ana", "bob", "dan", "eve")] == [""] * 4


async def test_those_who_waited_in_one_outage_are_not_met_in_the_next(pool: MemoryPool) -> None:
    await pool.offer("ana")
    pool.take_all()
    assert not (await pool.request("bob", "")).peer


async def test_whoever_speaks_for_both_says_so(pool: MemoryPool) -> None:
    pool.remember([Standing("ana", "bob", "impolite"), Standing("bob", "ana", "polite")])
    assert given_back(pool) == {
        Standing("ana", "bob", "impolite", speaks_for_peer=True),
        Standing("bob", "ana", "polite", speaks_for_peer=True),
    }


async def test_one_who_left_is_given_back_as_gone_unless_they_have_come_back(pool: MemoryPool) -> None:
    pool.remember([Standing("ana", "bob", "impolite"), Standing("cleo")])
    await pool.quit("ana")
    await pool.withdraw("cleo")
    assert given_back(pool) == {Standing("ana", gone=True), Standing("cleo", gone=True)}
    await pool.offer("cleo")
    await pool.withdraw("cleo")
    await pool.offer("cleo")
    assert given_back(pool) == {Standing("cleo")}


async def test_one_who_still_believes_in_the_last_call_of_their_peer_does_not_end_the_new_one(pool: MemoryPool) -> None:
    late = Standing("bob", "ana", "polite")
    pool.remember([Standing("cleo", "ana", "polite"), Standing("ana", "cleo", "impolite"), late])
    assert (await pool.peer("ana"), await pool.peer("cleo"), await pool.peer("bob")) == ("cleo", "ana", "")
    assert await pool.count() == (0, 1)


async def test_one_who_waits_and_is_in_a_call_for_their_peer_does_not_do_both(pool: MemoryPool) -> None:
    pool.remember([Standing("ana"), Standing("bob", "ana", "impolite")])
    waiting, calls = await pool.count()
    assert (waiting, calls) == (0, 1)
    assert (await pool.request("cleo", "")).peer == ""


async def test_the_roles_that_are_remembered_hold_in_memory(pool: MemoryPool) -> None:
    pool.remember([Standing("bob", "ana", "polite")])
    pool.remember([Standing("dan", "eve", "impolite")])
    assert (await pool.request("bob", "")).role == "polite"
    assert (await pool.request("dan", "")).role == "impolite"
