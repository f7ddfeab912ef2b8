"""The load generator, a process of its own: opens sockets, keeps them busy, prints what it measured as a line of JSON.

    python -m benchmarks.load rooms --ports 8000 --server-pids 4711 --valkey-pid 4712

It must not be what limits: picows and uvloop, frames that are encoded once, and a look for some bytes instead of
parsing. How much of a core it used itself is in its result.
"""

import argparse
import asyncio
import gc
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from itertools import count
from typing import NamedTuple

import uvloop
from picows import WSCloseCode

from benchmarks.dialects import DIALECTS, Socket, opened
from benchmarks.processes import busy_seconds, cpu_seconds, rss_kib

Result = dict[str, float]
AT_ONCE, PATIENCE = 50, 30.0
WARM_UP, SETTLE = 1.0, 0.5
IDLE = 5.0
ROOMS, MEMBERS, PAIRS, READERS, CALLERS, ASKING, CONNECTS = 20, 5, 100, 20, 1000, 50, 2000
KEPT, PAGE = 10_000, 50
RATE = 500
TEXT = "Is anybody here who knows what this is about?"


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

    def __init__(self, asked: argparse.Namespace) -> None:
        self.dialect = DIALECTS[asked.dialect]
        self.ports: list[int] = asked.ports
        self.seconds: float = asked.seconds
        self.server_pids: list[int] = asked.server_pids
        self.valkey_pid: int = asked.valkey_pid
        self.sockets: list[Socket] = []
        self.going = True
        """Whether those who have an answer go on."""
        self.latencies: list[float] = []
        self.sent = self.said = self.deliveries = self.unpaired = 0

    async def connect(self, users: Iterable[tuple[str, str]], path: str = "/ws") -> list[Socket]:
        """A socket for each user with his room, at most AT_ONCE being opened; over the servers by turns."""
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
        await self._drained(copies)
        ops = after.deliveries - before.deliveries if by_delivery else after.latencies - before.latencies
        if not ops:
            raise RuntimeError("nothing was answered within the time")
        taken = sorted(self.latencies[before.latencies : after.latencies])
        return cost(before, after, ops) | {
            "p50_ms": quantile(taken, 0.5) * 1e3,
            "p99_ms": quantile(taken, 0.99) * 1e3,
            "rss_mib": rss / 1024,
        }

    async def _drained(self, copies: int) -> None:
        deadline = time.perf_counter() + PATIENCE
        while copies and self.deliveries < self.sent * copies and time.perf_counter() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        if copies and self.deliveries != self.sent * copies:
            raise RuntimeError(f"{self.sent} messages came {self.deliveries} times, not {copies} times each")
        if lost := sum(socket.is_lost for socket in self.sockets):
            raise RuntimeError(f"{lost} of {len(self.sockets)} sockets were lost")


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


class Talker:
    """Sends the same frame again whenever its answer, known by its mark, has come."""

    def __init__(self, run: Run, socket: Socket, frame: bytes, mark: bytes) -> None:
        self._run, self._socket, self._frame, self._mark = run, socket, frame, mark
        self._sent: deque[float] = deque()
        self.again = True
        socket.hear = self.hear

    def say(self) -> None:
        """Send it."""
        self._run.sent += 1
        self._sent.append(time.perf_counter())
        self._socket.say(self._frame)

    def hear(self, payload: bytes) -> None:
        """Count what comes in, and go on when it is the answer."""
        run = self._run
        run.deliveries += 1
        if self._mark in payload:
            run.latencies.append(time.perf_counter() - self._sent.popleft())
            if self.again and run.going:
                self.say()


def _message(run: Run, user: str, **where: str) -> tuple[bytes, bytes]:
    """A frame of a chat message, and what its copies are known by."""
    text = f"{TEXT} asks {user}."
    return run.dialect.encoded("chat_message", {**where, "payload": {"content": text}}), f" asks {user}.".encode()


async def _in_rooms(run: Run) -> list[Talker]:
    users = [(f"u{n}", f"r{n // MEMBERS}") for n in range(ROOMS * MEMBERS)]
    sockets = await run.connect(users)
    return [
        Talker(run, socket, *_message(run, user, room=room))
        for socket, (user, room) in zip(sockets, users, strict=True)
    ]


async def rooms(run: Run) -> Result:
    """Each socket keeps 4 messages in flight in a room of 5."""
    talkers = await _in_rooms(run)
    return await _closed_loop(run, talkers, in_flight=4, copies=MEMBERS)


async def latency(run: Run) -> Result:
    """The same at a fixed rate."""
    talkers = await _in_rooms(run)
    for talker in talkers:
        talker.again = False
    pacing = asyncio.create_task(_pace(run, talkers))
    result = await run.timed(copies=MEMBERS)
    run.said = run.sent
    await pacing
    return result


async def _pace(run: Run, talkers: list[Talker]) -> None:
    began = time.perf_counter()
    for number in count():
        # What could not be sent in time is sent late, all the same: nobody waits for an answer.
        await asyncio.sleep(began + number / RATE - time.perf_counter())
        if not run.going:
            return
        talkers[number % len(talkers)].say()


async def direct(run: Run) -> Result:
    """The two of each pair keep 2 messages in flight to each other."""
    pairs = [(f"{one}{n}", f"{other}{n}", f"p{n}") for n in range(PAIRS) for one, other in ("ab", "ba")]
    sockets = await run.connect((user, room) for user, _, room in pairs)
    talkers = [
        Talker(run, socket, *_message(run, user, toUser=other))
        for socket, (user, other, _) in zip(sockets, pairs, strict=True)
    ]
    return await _closed_loop(run, talkers, in_flight=2, copies=2)


async def _closed_loop(run: Run, talkers: list[Talker], *, in_flight: int, copies: int) -> Result:
    await asyncio.sleep(SETTLE)
    for talker in talkers * in_flight:
        talker.say()
    result = await run.timed(copies=copies)
    run.said += run.sent
    return result


async def history(run: Run) -> Result:
    """Readers ask for the last 50 of 10 000 messages, one request in flight each."""
    writers = await run.connect([("writer", "archive")])
    await asyncio.sleep(SETTLE)
    await _fill(run, writers[0])
    sockets = await run.connect((f"u{n}", "archive") for n in range(READERS))
    await asyncio.sleep(SETTLE)
    request = run.dialect.encoded("get_recent_messages", {"room": "archive", "payload": {"limit": PAGE}})
    first: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    sockets[0].hear = first.set_result
    sockets[0].say(request)
    if (found := (await first).count(b"createTime")) < PAGE:
        raise RuntimeError(f"a history has {found} messages instead of {PAGE}")
    talkers = [Talker(run, socket, request, b"recent_messages") for socket in sockets]
    for talker in talkers:
        talker.say()
    return await run.timed(copies=1)


async def _fill(run: Run, socket: Socket) -> None:
    writer = Talker(run, socket, *_message(run, "writer", room="archive"))
    for _ in range(100):
        writer.say()
    while len(run.latencies) < run.sent:
        writer.again = run.sent < KEPT
        await asyncio.sleep(0.001)
    run.said, run.sent, run.deliveries = run.sent, 0, 0


class Crowd:
    """A room in which one speaks; the next message follows when everybody has heard the last."""

    def __init__(self, run: Run, sockets: list[Socket]) -> None:
        self._run, self._speaker, self._size = run, sockets[0], len(sockets)
        self._frame, _ = _message(run, "u0", room="hall")
        for socket in sockets:
            socket.hear = self.hear

    def say(self) -> None:
        """Speak to all."""
        self._left, self._sent = self._size, time.perf_counter()
        self._run.sent += 1
        self._speaker.say(self._frame)

    def hear(self, payload: bytes) -> None:
        """One more has heard."""
        self._run.deliveries += 1
        self._left -= 1
        if not self._left:
            self._run.latencies.append(time.perf_counter() - self._sent)
            if self._run.going:
                self.say()


def fan_out(members: int) -> Callable[[Run], Awaitable[Result]]:
    """One speaks to so many."""

    async def workload(run: Run) -> Result:
        crowd = Crowd(run, await run.connect((f"u{n}", "hall") for n in range(members)))
        await asyncio.sleep(SETTLE)
        crowd.say()
        result = await run.timed(copies=members, by_delivery=True)
        run.said = run.sent
        return result

    return workload


class Caller:
    """One who asks, skips whom he got and asks again; or one who waits, and waits again when he was skipped."""

    def __init__(self, run: Run, socket: Socket) -> None:
        self._run, self._socket, self._sent = run, socket, 0.0
        socket.hear = self.hear

    def wait(self) -> None:
        """Be in the pool."""
        self._socket.say(b'{"type":"user_available_webrtc"}')

    def ask(self, skipping: bytes = b"") -> None:
        """Ask for somebody else."""
        self._sent = time.perf_counter()
        self._socket.say(b'{"type":"request_random_peer","payload":{"currentPeerId":"%s"}}' % skipping)

    def hear(self, payload: bytes) -> None:
        """Go on."""
        if b'"impolite"' in payload:
            self._run.latencies.append(time.perf_counter() - self._sent)
            if self._run.going:
                self.ask(payload.split(b'"peerId":"', 1)[1].split(b'"', 1)[0])
        elif b'"hangup"' in payload:
            self.wait()
        elif b'"no_peer_available"' in payload:
            self._run.unpaired += 1


async def match(run: Run) -> Result:
    """Of 1000, 50 ask, skip and ask again, and the others wait."""
    sockets = await run.connect(((f"u{n}", "") for n in range(CALLERS)), "/ws/matchmaking")
    callers = [Caller(run, socket) for socket in sockets]
    for caller in callers[ASKING:]:
        caller.wait()
    await asyncio.sleep(SETTLE)
    for caller in callers[:ASKING]:
        caller.ask()
    result = await run.timed(copies=0)
    if run.unpaired:
        raise RuntimeError(f"{run.unpaired} times nobody waited")
    return result


async def connect(run: Run) -> Result:
    """Sockets are opened, 50 at a time, in rooms of 5, and then idle."""
    rss, before = rss_kib(run.server_pids), run.now()
    await run.connect((f"u{n}", f"r{n // MEMBERS}") for n in range(CONNECTS))
    result = cost(before, run.now(), CONNECTS)
    await asyncio.sleep(SETTLE)
    idle_from = run.now()
    await asyncio.sleep(IDLE)
    idle_to, rss_now = run.now(), rss_kib(run.server_pids)
    await run._drained(0)
    idle = idle_to.server + idle_to.valkey - idle_from.server - idle_from.valkey
    return result | {
        "rss_mib": rss_now / 1024,
        "kib_a_socket": (rss_now - rss) / CONNECTS,
        "idle_core_percent": idle / (idle_to.time - idle_from.time) * 100,
    }


WORKLOADS: dict[str, Callable[[Run], Awaitable[Result]]] = {
    "rooms": rooms,
    "latency": latency,
    "direct": direct,
    "history": history,
    "fan-out-200": fan_out(200),
    "fan-out-2000": fan_out(2000),
    "match": match,
    "connect": connect,
}


def main() -> None:
    """Run one workload on servers that are there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--dialect", choices=DIALECTS, default="wire")
    parser.add_argument("--ports", type=_numbers, required=True, help="of the servers, between commas")
    parser.add_argument("--server-pids", type=_numbers, required=True, help="whose CPU time counts, between commas")
    parser.add_argument("--valkey-pid", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of the timed part (default: %(default)s)")
    asked = parser.parse_args()
    # Nothing here is garbage in cycles, and a pause would count as the server's.
    gc.disable()
    run = Run(asked)
    print(json.dumps(uvloop.run(_measured(run, asked.workload)) | {"said": run.said}))


async def _measured(run: Run, workload: str) -> Result:
    result = await WORKLOADS[workload](run)
    for socket in run.sockets:
        socket.transport.send_close(WSCloseCode.OK)
    await asyncio.sleep(SETTLE)
    return result


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    main()
