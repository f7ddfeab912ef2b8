"""A crowd on several server processes, one of which is killed.

    python -m tests.support.crowd --users 1000 --processes 4 --seeds 10

All are available, all ask at once; then everybody acts at random for a while; then all who are alone ask again, and
one process is killed with `kill -9`. What the callers hear and what Valkey holds must be right at every moment, and
agree whenever things have come to rest.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

import redis

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tests.support.caller import Caller
from tests.support.processes import ServerProcess, ValkeyProcess
from tests.support.serving import Serving
from tests.support.truth import Truth

REST_WITHIN = 15.0
AT_ONCE = 50
"""Connections that are made at the same time; the accept queue is not what is tried here."""


class Plan(NamedTuple):
    """How many users and processes, how long the churn lasts, and how soon after the crash all must be right."""

    users: int = 1000
    processes: int = 4
    seed: int = 1
    churn: float = 15.0
    right_within: float = 60.0


class Report(NamedTuple):
    """What happened, and complaints about what should not have happened."""

    seed: int
    assigned: int
    deeds: Counter[str]
    looks: int
    left_over: int
    right_after: float
    complaints: list[str]

    def __str__(self) -> str:
        deeds = " ".join(f"{name} {count}" for name, count in sorted(self.deeds.items()))
        verdict = "\n  ".join(["", *self.complaints[:20]]) if self.complaints else "nothing wrong"
        return (
            f"seed {self.seed}: {self.assigned} roles, {self.looks} looks, {self.left_over} left over, "
            f"right {self.right_after:.1f} s after the crash ({deeds}): {verdict}"
        )


class Crowd:
    """The callers, the servers they are at, and the Valkey that those share."""

    def __init__(self, plan: Plan, servers: Sequence[ServerProcess], client: redis.Redis) -> None:
        self.plan, self.servers, self.client = plan, servers, client
        self.complaints: list[str] = []
        self.rng = Random(plan.seed)
        names = [f"user{number}" for number in range(plan.users)]
        self.callers = {name: Caller(name, Random(f"{plan.seed} {name}"), self.complaints) for name in names}
        self.looks = 0
        self._doors = asyncio.Semaphore(AT_ONCE)

    async def lives(self) -> Report:
        """Play all parts, and return what happened."""
        await self._gathers()
        await self._comes_to_rest("after all asked at once", most=1)
        await self._does_what_it_likes()
        await self._asks_again()
        left_over = await self._comes_to_rest("after the churn", most=1)
        right_after = await self._survives_a_crash()
        await asyncio.gather(*(caller.goes() for caller in self._connected()))
        counts = sum((caller.counts for caller in self.callers.values()), Counter[str]())
        return Report(
            self.plan.seed, counts.pop("assigned"), counts, self.looks, left_over, right_after, self.complaints
        )

    def _connected(self) -> list[Caller]:
        return [caller for caller in self.callers.values() if caller.connected]

    async def _gathers(self) -> None:
        urls = [server.url for server in self.servers]
        await asyncio.gather(
            *(self._enters(caller, urls[number % len(urls)]) for number, caller in enumerate(self.callers.values()))
        )
        await asyncio.gather(*(caller.becomes_available() for caller in self.callers.values()))
        waiting = len(self._looks().waiting)
        if waiting != self.plan.users:
            self.complaints.append(f"{waiting} wait instead of all")
        await asyncio.gather(*(caller.asks() for caller in self.callers.values()))

    async def _enters(self, caller: Caller, url: str) -> None:
        async with self._doors:
            await caller.comes(url)

    async def _does_what_it_likes(self) -> None:
        until = time.monotonic() + self.plan.churn
        urls = [server.url for server in self.servers]
        watching = asyncio.create_task(self._watches())
        await asyncio.gather(*(self._likes(caller, urls, until) for caller in self.callers.values()))
        watching.cancel()

    async def _likes(self, caller: Caller, urls: list[str], until: float) -> None:
        while not caller.given_up and (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, caller.rng.expovariate(0.5)))
            await caller.acts(urls)

    async def _watches(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            self._looks()

    def _looks(self) -> Truth:
        truth = Truth.in_valkey(self.client)
        self.looks += 1
        self.complaints += islice(truth.flaws(), 5)
        return truth

    async def _asks_again(self) -> None:
        await asyncio.gather(*(caller.asks() for caller in self._connected() if not caller.peer))

    async def _comes_to_rest(self, when: str, *, most: int) -> int:
        """Return how many wait once Valkey and the callers agree."""
        deadline = time.monotonic() + REST_WITHIN
        while True:
            await self._those_alone_ask()
            truth = self._looks()
            wrong = list(truth.errors(self.callers))
            if not wrong and not self._alone() and len(truth.waiting) <= most:
                return len(truth.waiting)
            if time.monotonic() > deadline:
                self.complaints += [f"{when}: {what}" for what in (wrong or [f"{len(truth.waiting)} wait"])[:5]]
                return len(truth.waiting)
            await asyncio.sleep(0.1)

    def _alone(self) -> list[Caller]:
        return [caller for caller in self.callers.values() if caller.alone]

    async def _those_alone_ask(self) -> None:
        await asyncio.gather(*(caller.asks() for caller in self._alone()))

    async def _survives_a_crash(self) -> float:
        """Kill a server; return after how many seconds nobody who has gone is in the pool, and the others know it."""
        struck = [caller for caller in self._connected() if caller.url == self.servers[0].url]
        self.servers[0].kill()
        crashed = time.monotonic()
        await asyncio.wait_for(asyncio.gather(*(caller.is_off() for caller in struck)), REST_WITHIN)
        urls = [server.url for server in self.servers[1:]]
        back = [caller for caller in struck if self._can_resume(caller) and self.rng.random() < 1 / 3]
        await asyncio.gather(*(caller.resumes(self.rng.choice(urls)) for caller in back))
        while True:
            await self._those_alone_ask()
            truth = self._looks()
            wrong = [*truth.errors(self.callers), *(f"{user} is a ghost" for user in truth.ghosts(self.callers))]
            after = time.monotonic() - crashed
            if not wrong and not self._alone() and len(truth.waiting) <= 1:
                return after
            if after > self.plan.right_within:
                self.complaints += [f"{after:.0f} s after the crash: {what}" for what in wrong[:5]]
                return after
            await asyncio.sleep(0.25)

    def _can_resume(self, caller: Caller) -> bool:
        """Whether the caller is in a call with a peer who is not about to be given up."""
        return caller.peer in self.callers and not self.callers[caller.peer].given_up


def simulate(plan: Plan, valkey: ValkeyProcess, directory: Path, **environment: str) -> Report:
    """Run a crowd on new servers, with this Valkey emptied before."""
    valkey.client.flushall()
    where = {"VALKEY_HOST": "127.0.0.1", "VALKEY_PORT": str(valkey.address.port)}
    with ExitStack() as stack:
        servers = [
            stack.enter_context(Serving(directory / f"server{number}", **(where | environment)))
            for number in range(plan.processes)
        ]
        report = asyncio.run(Crowd(plan, servers, valkey.client).lives())
        logs = "".join(server.logged() for server in servers)
    return report._replace(complaints=[*report.complaints, *_bad_lines(logs)])


def _bad_lines(logs: str) -> list[str]:
    return [line for line in logs.splitlines() if " ERROR" in line or " WARNING" in line]


def main() -> int:
    """Run seed after seed; the exit status says whether all was right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=10, help="how many")
    parser.add_argument("--first-seed", type=int, default=1)
    asked = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as directory, ValkeyProcess(Path(directory)) as valkey:
        for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
            plan = Plan(asked.users, asked.processes, seed)
            report = simulate(plan, valkey, Path(directory) / str(seed))
            bad += bool(report.complaints)
            sys.stdout.write(f"{report}\n")
            sys.stdout.flush()
    return bad


if __name__ == "__main__":
    sys.exit(main())
