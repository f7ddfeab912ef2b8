"""Random calls, asked for and skipped through sockets: the load of match. `pairing.py` measures the store alone."""

import asyncio
import time

from benchmarks.dialects import Socket
from benchmarks.measuring import SETTLE, Result, Run

CALLERS, ASKING = 1000, 50


class Caller:
    """A user who asks, skips the peer and asks again; or a user who waits, and waits again after being skipped."""

    def __init__(self, run: Run, socket: Socket) -> None:
        self._run, self._socket, self._sent = run, socket, 0.0
        self.unpaired = 0
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
            self.unpaired += 1


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
    if unpaired := sum(caller.unpaired for caller in callers):
        raise RuntimeError(f"{unpaired} times nobody waited")
    return result
