"""Chat messages, in rooms and to one another: the load of rooms, latency, direct and fan-out."""

import asyncio
import time
from collections import deque
from itertools import count

from benchmarks.dialects import Socket
from benchmarks.measuring import SETTLE, Load, Result, Run

ROOMS, MEMBERS, PAIRS = 20, 5, 100
RATE = 500
TEXT = "Is anybody here who knows what this is about?"


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


def message(run: Run, user: str, **where: str) -> tuple[bytes, bytes]:
    """A frame of a chat message, and what its copies are known by."""
    text = f"{TEXT} asks {user}."
    return run.dialect.encoded("chat_message", {**where, "payload": {"content": text}}), f" asks {user}.".encode()


async def _in_rooms(run: Run) -> list[Talker]:
    users = [(f"u{n}", f"r{n // MEMBERS}") for n in range(ROOMS * MEMBERS)]
    sockets = await run.connect(users)
    return [
        Talker(run, socket, *message(run, user, room=room)) for socket, (user, room) in zip(sockets, users, strict=True)
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
        Talker(run, socket, *message(run, user, toUser=other))
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


class Crowd:
    """A room in which one speaks; the next message follows when everybody has heard the last."""

    def __init__(self, run: Run, sockets: list[Socket]) -> None:
        self._run, self._speaker, self._size = run, sockets[0], len(sockets)
        self._frame, _ = message(run, "u0", room="hall")
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


def fan_out(members: int) -> Load:
    """One speaks to so many."""

    async def workload(run: Run) -> Result:
        crowd = Crowd(run, await run.connect((f"u{n}", "hall") for n in range(members)))
        await asyncio.sleep(SETTLE)
        crowd.say()
        result = await run.timed(copies=members, by_delivery=True)
        run.said = run.sent
        return result

    return workload
