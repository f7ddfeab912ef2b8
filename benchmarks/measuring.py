"""One workload on one contender: its sockets, what is counted, and what an operation has cost."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from benchmarks.dialects import Socket, opened
from benchmarks.processes import busy_seconds, cpu_seconds, rss_kib

AT_ONCE, PATIENCE = 50, 30.0
WARM_UP, SETTLE = 1.0, 0.5
Result = dict[str, float]


class Moment(NamedTuple):
    """What had been counted and used at a time."""

    time: float
    latencies: int
    deliveries: int
    server: float
    valkey: float
    generator: float
    busy: float


class Run:
    """One workload on one contender, and what is counted."""

    def __init__(
        self, dialect: type[Socket], ports: list[int], seconds: float, *, server_pids: list[int], valkey_pid: int
    ) -> None:
        self.dialect, self.ports, self.seconds = dialect, ports, seconds
        self.server_pids, self.valkey_pid = server_pids, valkey_pid
        self.sockets: list[Socket] = []
        self.going = True
        """Whether those who have an answer go on."""
        self.latencies: list[float] = []
        self.sent = self.said = self.deliveries = 0

    async def connect(self, users: Iterable[tuple[str, str]], path: str = "/ws") -> list[Socket]:
        """Open a socket for each user, in the user's room, at most AT_ONCE at a time, on the servers in turn."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(number: int, user: str, room: str) -> Socket:
            async with gate:
                port = self.ports[number % len(self.ports)]
                return await opened(self.dialect, self.dialect.url(port, user, room, path))

        found = await asyncio.gather(*(one(number, *user) for number, user in enumerate(users)))
        self.sockets += found
        return found

    def now(self) -> Moment:
        """The counters, and the CPU time used until now."""
        used = cpu_seconds(self.server_pids), cpu_seconds([self.valkey_pid]), time.process_time(), busy_seconds()
        return Moment(time.perf_counter(), len(self.latencies), self.deliveries, *used)

    async def timed(self, *, copies: int, by_delivery: bool = False) -> Result:
        """Warm up, measure, stop, and see that each message has come `copies` times."""
        await asyncio.sleep(WARM_UP)
        before = self.now()
        await asyncio.sleep(self.seconds)
        after = self.now()
        rss = rss_kib(self.server_pids)
        self.going = False
        await self.drained(copies)
        ops = after.deliveries - before.deliveries if by_delivery else after.latencies - before.latencies
        if not ops:
            raise RuntimeError("nothing was answered within the time")
        taken = sorted(self.latencies[before.latencies : after.latencies])
        return cost(before, after, ops) | {
            "p50_ms": quantile(taken, 0.5) * 1e3,
            "p99_ms": quantile(taken, 0.99) * 1e3,
            "rss_mib": rss / 1024,
        }

    async def drained(self, copies: int) -> None:
        """See that each message has come `copies` times, unless that is 0, and that no socket was lost."""
        deadline = time.perf_counter() + PATIENCE
        while copies and self.deliveries < self.sent * copies and time.perf_counter() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        if copies and self.deliveries != self.sent * copies:
            raise RuntimeError(f"{self.sent} messages came {self.deliveries} times, not {copies} times each")
        if lost := sum(socket.is_lost for socket in self.sockets):
            raise RuntimeError(f"{lost} of {len(self.sockets)} sockets were lost")


Load = Callable[[Run], Awaitable[Result]]


def cost(before: Moment, after: Moment, ops: int) -> Result:
    """Of one operation, of which there were so many between two moments."""
    elapsed = after.time - before.time
    server, valkey = after.server - before.server, after.valkey - before.valkey
    generator = after.generator - before.generator
    others = max(0.0, after.busy - before.busy - server - valkey - generator)
    return {
        "ops": ops,
        "ops_a_second": ops / elapsed,
        "cpu_us": (server + valkey) / ops * 1e6,
        "server_cpu_us": server / ops * 1e6,
        "valkey_cpu_us": valkey / ops * 1e6,
        "generator_core": generator / elapsed,
        "others_core": others / elapsed,
    }


def quantile(ordered: list[float], part: float) -> float:
    """The value that so much of them do not exceed."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0
