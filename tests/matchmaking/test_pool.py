"""The contract of the pool, for both of its twins."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import redis

from matchmaking.store.memory_pool import MemoryPool
from matchmaking.store.pool import Pool, ValkeyPool
from tests.support.here import link
from tests.support.processes import ValkeyProcess


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    """What the pool takes the time from."""
    return Clock()


@pytest_asyncio.fixture(params=["memory", "valkey"])
async def pool(
    request: pytest.FixtureRequest, keys: redis.Redis, valkey_process: ValkeyProcess, clock: Clock
) -> AsyncIterator[Pool]:
    """One of the twins, empty."""
    link().address = valkey_process.address
    await link().start()
    yield MemoryPool(clock) if request.param == "memory" else ValkeyPool(link(), clock)
    await link().stop()


async def meet(pool: Pool, asking: str, waiting: str) -> None:
    """The two are in a call."""
    await pool.offer(waiting)
    assert (await pool.request(asking, "")).peer == waiting


async def test_who_asks_is_impolite_and_both_are_out_of_the_pool(pool: Pool) -> None:
    await pool.offer("bob")
    outcome = await pool.request("ana", "")
    assert (outcome.peer, outcome.role, outcome.freed, outcome.fresh) == ("bob", "impolite", "", True)
    assert await pool.peer("ana") == "bob"
    assert await pool.peer("bob") == "ana"
    assert not (await pool.request("cleo", "")).peer


async def test_asking_again_repeats_the_role_of_each(pool: Pool) -> None:
    await meet(pool, "ana", "bob")
    for user, role, peer in (("ana", "impolite", "bob"), ("bob", "polite", "ana")):
        outcome = await pool.request(user, "")
        assert (outcome.peer, outcome.role, outcome.fresh) == (peer, role, False)


async def test_a_skip_frees_the_other_and_finds_a_third(pool: Pool) -> None:
    await meet(pool, "ana", "bob")
    await pool.offer("cleo")
    outcome = await pool.request("ana", "bob")
    assert (outcome.peer, outcome.freed, outcome.fresh) == ("cleo", "bob", True)
    assert await pool.peer("bob") == ""


async def test_a_skip_of_somebody_else_than_the_peer_keeps_the_call(pool: Pool) -> None:
    await meet(pool, "ana", "bob")
    await pool.offer("cleo")
    outcome = await pool.request("ana", "dan")
    assert (outcome.peer, outcome.role, outcome.freed, outcome.fresh) == ("bob", "impolite", "", False)


async def test_the_skipped_stays_in_the_pool_for_others(pool: Pool) -> None:
    await pool.offer("bob")
    assert not (await pool.request("ana", "bob")).peer
    assert (await pool.request("cleo", "ana")).peer == "bob"


async def test_waiting_ends_a_call(pool: Pool) -> None:
    await meet(pool, "ana", "bob")
    assert (await pool.offer("bob")).peer == "ana"
    assert await pool.peer("ana") == ""
    assert (await pool.request("ana", "")).peer == "bob"


async def test_to_withdraw_does_not_end_a_call(pool: Pool) -> None:
    await meet(pool, "ana", "bob")
    await pool.withdraw("bob")
    assert await pool.peer("ana") == "bob"


async def test_only_the_call_between_the_two_ends(pool: Pool) -> None:
    await meet(pool, "ana", "bob")
    assert not await pool.end("ana", "cleo")
    assert await pool.end("bob", "ana")
    assert not await pool.end("bob", "ana")
    assert await pool.peer("ana") == ""


async def test_one_who_quits_is_nowhere(pool: Pool) -> None:
    await meet(pool, "ana", "bob")
    assert (await pool.quit("ana")).peer == "bob"
    await pool.offer("bob")
    assert (await pool.quit("bob")).peer == ""
    assert not (await pool.request("cleo", "")).peer


async def test_moments_of_steps_follow_one_another(pool: Pool) -> None:
    await pool.offer("bob")
    asked = (await pool.request("ana", "")).at
    ended = await pool.end("ana", "bob")
    assert asked < ended < (await pool.offer("bob")).at


async def test_a_lease_runs_out_unless_it_is_renewed(pool: Pool, clock: Clock) -> None:
    await meet(pool, "ana", "bob")
    await pool.offer("cleo")
    clock.time += 44
    assert await pool.renew(["ana", "nobody"]) == ["nobody"]
    clock.time += 2
    swept = {user: parted.peer for user, parted in await pool.sweep()}
    assert swept in ({"bob": "ana", "cleo": ""}, {"cleo": "", "bob": "ana"})
    assert await pool.peer("ana") == ""
    assert await pool.sweep() == []


async def test_one_whose_connection_is_lost_has_thirty_seconds(pool: Pool, clock: Clock) -> None:
    await meet(pool, "ana", "bob")
    await pool.hold("bob")
    await pool.hold("nobody")
    clock.time += 29
    assert await pool.sweep() == []
    assert (await pool.request("bob", "")).peer == "ana"
    await pool.hold("bob")
    clock.time += 31
    await pool.renew(["ana"])
    assert [(user, parted.peer) for user, parted in await pool.sweep()] == [("bob", "ana")]


async def test_one_who_has_come_back_since_does_not_quit(pool: Pool, clock: Clock) -> None:
    await meet(pool, "ana", "bob")
    left = clock.time
    clock.time += 1
    await pool.request("ana", "")
    assert (await pool.quit("ana", left)).peer == ""
    assert await pool.peer("bob") == "ana"
    assert (await pool.quit("bob", left)).peer == "ana"
    assert await pool.peer("ana") == ""
    await pool.offer("ana")
    await pool.quit("ana", left)
    assert (await pool.request("cleo", "")).peer == "ana"


async def test_one_who_has_not_come_back_since_quits(pool: Pool, clock: Clock) -> None:
    await meet(pool, "ana", "bob")
    assert (await pool.quit("ana", clock.time)).peer == "bob"
    await pool.offer("cleo")
    await pool.quit("cleo", clock.time + 44)
    assert not (await pool.request("ana", "")).peer


async def test_one_who_asks_again_in_a_call_is_alive_for_a_lease_from_then_on(pool: Pool, clock: Clock) -> None:
    await meet(pool, "ana", "bob")
    clock.time += 44
    for user in ("ana", "bob"):
        await pool.request(user, "")
    clock.time += 44
    assert await pool.sweep() == []
    clock.time += 2
    assert await pool.count() == (0, 1)
    assert len(await pool.sweep()) == 1
    assert await pool.count() == (0, 0)


async def test_a_ghost_is_passed_over_and_forgotten(pool: Pool, clock: Clock) -> None:
    await pool.offer("ghost")
    clock.time += 46
    assert not (await pool.request("ana", "")).peer
    assert (await pool.request("bob", "")).peer == "ana"


async def test_the_choice_is_uniform(pool: Pool) -> None:
    draws = 3000
    chosen: Counter[str] = Counter()
    for name in ("a", "b", "c"):
        await pool.offer(name)
    for _ in range(draws):
        peer = (await pool.request("ana", "")).peer
        chosen[peer] += 1
        await pool.offer(peer)
        await pool.withdraw("ana")
    assert set(chosen) == {"a", "b", "c"}
    # Four standard deviations: one run in 8000 would fail by chance.
    assert all(abs(count - draws / 3) <= 104 for count in chosen.values()), chosen


async def test_everybody_asking_at_once_leaves_at_most_one_alone(pool: Pool) -> None:
    users = [f"u{n}" for n in range(101)]
    outcomes = await asyncio.gather(*(pool.request(user, "") for user in users))
    peers = {user: await pool.peer(user) for user in users}
    assert sum(not peer for peer in peers.values()) == 1
    assert all(peers[peer] == user for user, peer in peers.items() if peer)
    assert sum(outcome.fresh for outcome in outcomes) == 50
