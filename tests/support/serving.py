"""`manage.py serve` with a Valkey of its own, and what it prints."""

from pathlib import Path

import redis

from aleatoria.valkey.address import embedded_address
from benchmarks.processes import free_port
from tests.support.processes import PATIENCE, ServerProcess


class Serving(ServerProcess):
    """A server whose output is read, with a Valkey of its own unless told otherwise."""

    def __init__(self, directory: Path, **environment: str) -> None:
        # Nobody is at this port: what runs at 6379 on the machine is not for tests.
        super().__init__(directory, **{"VALKEY_PORT": str(free_port())} | environment)
        self.data = Path(self.environment["DATA_DIR"])
        self.said: list[str] = []
        """The lines it has printed up to where it listens."""

    @property
    def valkey(self) -> redis.Redis:
        """Its own Valkey."""
        return embedded_address(self.data / "valkey").client()

    @property
    def valkey_pid(self) -> int:
        return int(self.valkey.info("server")["process_id"])

    def stop_and_listen(self) -> tuple[int, str]:
        """Stop it; return the exit status and what it printed after it began to listen."""
        assert self._process is not None
        process, self._process = self._process, None
        process.terminate()
        rest, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, rest

    def _wait_for_port(self) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        self.said = []
        for line in self._process.stdout:
            self.said.append(line.rstrip())
            if line.startswith("Listening on "):
                return int(line.split(":")[2].split("/")[0])
        raise RuntimeError(f"the server did not start: {self.said} {self.logged()}")
