"""The servers and the Valkey that the script plays with."""

import asyncio
import time

from tests.recording.host import Host
from tests.recording.transcript import Transcript
from tests.support.commands import Manage
from tests.support.processes import PATIENCE, ServerProcess, ValkeyProcess

_one_command = asyncio.Lock()
"""Commands run in this process, whose settings say where Valkey is."""


class Stage:
    """The two servers of one kind, the Valkey that they share, and what is recorded of them."""

    def __init__(self, valkey: ValkeyProcess, lenient: ServerProcess, strict: ServerProcess) -> None:
        self.valkey = valkey
        self._transcript = Transcript()
        self.lenient, self.strict = Host(lenient, self._transcript), Host(strict, self._transcript)

    def cut(self) -> list[str]:
        """Return the lines since the last cut."""
        lines = self._transcript.lines[:]
        self._transcript.lines.clear()
        return lines

    def heading(self, text: str) -> None:
        """Begin a part of the conversation."""
        self._transcript.lines += ["", f"# {text}"] if self._transcript.lines else [f"# {text}"]

    def happens(self, text: str) -> None:
        """Record an event that no client causes."""
        self._transcript.lines.append(f"* {text}")

    async def manages(self, *command: str) -> None:
        """Run a command of `manage.py` on the Valkey of the servers, as an operator does."""
        self.happens(f"manage.py {' '.join(command)}")
        async with _one_command:
            ran = await Manage(self.valkey.address, self.lenient.process.log.parent)(*command)
        assert ran.status == 0, ran

    async def time_is_up_for(self, user: str) -> None:
        """Let the rest of the user's time online pass at once. The user has just closed the last connection."""
        grace = 20  # seconds: less than a lease, and more than the server leaves a user without a connection
        deadline = time.monotonic() + PATIENCE
        while not 0 < self._online_until(user) - time.time() < grace:
            assert time.monotonic() < deadline, f"the server has not noticed that {user} is gone"
            await asyncio.sleep(0.01)
        self.happens(f"the time is up in which {user} could come back")
        self.valkey.client.zadd("users:online", {user: 0})

    def _online_until(self, user: str) -> float:
        return float(self.valkey.client.zscore("users:online", user) or 0)
