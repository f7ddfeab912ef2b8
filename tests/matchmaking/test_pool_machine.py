"""Any sequence of steps leaves the pool, either twin, as a plain model says, whatever its dice choose."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NamedTuple, TypeVar

import pytest
import redis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from aleatoria.valkey.link import Link
from matchmaking.store.memory_pool import MemoryPool
from matchmaking.store.pool import Pool, ValkeyPool
from tests.support.processes import ValkeyProcess

Result = TypeVar("Result")
USERS = st.sampled_from(["ana", "bob", "cleo", "dan", "eve"])


class Seen(NamedTuple):
    """All that a pool holds."""

    waiting: set[str]
    calls: dict[str, str]
    leased: set[str]
    callers: set[str]


class Twin(NamedTuple):
    """A pool under test: how to step it, look into it and empty it."""

    make: Callable[[Callable[[], float]], Pool]
    look: Callable[[Pool], Seen]
    runner: asyncio.Runner


@pytest.fixture
def memory() -> Iterator[Twin]:
    """The pool in memory."""

    def look(pool: Pool) -> Seen:
        assert isinstance(pool, MemoryPool)
        return Seen(set(pool._waiting._members), dict(pool._calls), set(pool._leases), set(pool._callers))

    with asyncio.Runner() as runner:
        yield Twin(MemoryPool, look, runner)


@pytest.fixture
def shared(keys: redis.Redis, valkey_process: ValkeyProcess) -> Iterator[Twin]:
    """The pool in Valkey."""
    text: Any = redis.Redis(port=valkey_process.address.port, decode_responses=True)
    with asyncio.Runner() as runner, text:
        link = Link(valkey_process.address)
        runner.run(link.start())

        def make(clock: Callable[[], float]) -> Pool:
            keys.flushall()
            return ValkeyPool(link, clock)

        def look(pool: Pool) -> Seen:
            prefix = "{available:webrtc}:"
            return Seen(
                text.smembers("available:webrtc"),
                text.hgetall(prefix + "pairs"),
                set(text.zrange(prefix + "leases", 0, -1)),
                text.smembers(prefix + "callers"),
            )

        yield Twin(make, look, runner)
        runner.run(link.stop())


class PoolMachine(RuleBasedStateMachine):
    """A model beside the pool, and what must hold after every step."""

    twin: Twin

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.pool = self.twin.make(lambda: self.now)
        self.waiting: set[str] = set()
        self.calls: dict[str, str] = {}
        self.leases: dict[str, float] = {}
        self.callers: set[str] = set()

    def do(self, step: Coroutine[Any, Any, Result]) -> Result:
        return self.twin.runner.run(step)

    def part(self, user: str) -> str:
        peer = self.calls.pop(user, "")
        if peer:
            del self.calls[peer]
            self.callers -= {user, peer}
            self.leases.pop(user, None)
            self.leases.pop(peer, None)
        return peer

    @rule(user=USERS, skipping=st.one_of(st.just(""), USERS))
    def request(self, user: str, skipping: str) -> None:
        outcome = self.do(self.pool.request(user, skipping))
        peer = self.calls.get(user, "")
        if peer and peer != skipping:
            role = "impolite" if user in self.callers else "polite"
            assert outcome[:4] == (peer, role, "", False)
            self.leases[user] = self.now + 45
        else:
            assert outcome.freed == self.part(user)
            self.waiting.discard(user)
            suitable = {one for one in self.waiting if self.leases[one] > self.now} - {skipping}
            self.leases[user] = self.now + 45
            if suitable:
                assert outcome.peer in suitable
                assert (outcome.role, outcome.fresh) == ("impolite", True)
                self.waiting.discard(outcome.peer)
                self.calls |= {user: outcome.peer, outcome.peer: user}
                self.callers.add(user)
            else:
                assert outcome.peer == ""
                self.waiting.add(user)
        # Which ghosts it has met on the way is the dice's secret; now none is left.
        self.sweep()

    @rule(user=USERS)
    def offer(self, user: str) -> None:
        assert self.do(self.pool.offer(user)).peer == self.part(user)
        self.waiting.add(user)
        self.leases[user] = self.now + 45

    @rule(user=USERS)
    def withdraw(self, user: str) -> None:
        self.do(self.pool.withdraw(user))
        if user in self.waiting:
            self.waiting.discard(user)
            del self.leases[user]

    @rule(user=USERS, peer=USERS)
    def end(self, user: str, peer: str) -> None:
        expected = self.calls.get(user) == peer
        assert bool(self.do(self.pool.end(user, peer))) == expected
        if expected:
            self.part(user)

    @rule(user=USERS)
    def quit(self, user: str) -> None:
        assert self.do(self.pool.quit(user)).peer == self.part(user)
        self.waiting.discard(user)
        self.leases.pop(user, None)

    @rule(user=USERS)
    def hold(self, user: str) -> None:
        self.do(self.pool.hold(user))
        if user in self.leases:
            self.leases[user] = self.now + 30

    @rule(users=st.lists(USERS, unique=True))
    def renew(self, users: list[str]) -> None:
        assert self.do(self.pool.renew(users)) == [user for user in users if user not in self.leases]
        for user in users:
            if user in self.leases:
                self.leases[user] = self.now + 45

    @rule(seconds=st.sampled_from([1, 16, 31, 46]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    @precondition(lambda self: any(until <= self.now for until in self.leases.values()))
    def sweep(self) -> None:
        swept = {user: parted.peer for user, parted in self.do(self.pool.sweep())}
        expired = {user for user, until in self.leases.items() if until <= self.now}
        assert set(swept) <= expired
        for user, peer in swept.items():
            assert self.part(user) == peer
            self.waiting.discard(user)
            self.leases.pop(user, None)
        # The others have been met on the way by a request, and were forgotten there.
        for ghost in expired & self.waiting:
            self.waiting.discard(ghost)
            del self.leases[ghost]
        assert not any(until <= self.now for until in self.leases.values())

    @invariant()
    def is_as_the_model_says_and_nobody_is_in_two_places(self) -> None:
        seen = self.twin.look(self.pool)
        assert seen == Seen(self.waiting, self.calls, set(self.leases), self.callers)
        assert all(seen.calls[peer] == user != peer for user, peer in seen.calls.items())
        assert not seen.waiting & set(seen.calls)
        assert seen.leased == seen.waiting | set(seen.calls)
        assert len(seen.callers) * 2 == len(seen.calls)


@pytest.mark.parametrize("which", ["memory", "shared"])
def test_any_sequence_of_steps_leaves_the_pool_as_the_model_says(request: pytest.FixtureRequest, which: str) -> None:
    machine = type("Machine", (PoolMachine,), {"twin": request.getfixturevalue(which)})
    steps = hypothesis(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=steps)
