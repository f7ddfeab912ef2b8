"""Who is compared: how each is started, and which dialect it speaks."""

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import ROOT, family, free_port, node, running, valkey

BIN = Path(sys.executable).parent
SECRET_KEY = "for-the-benchmark-only-0123456789-abcdefghijklmnopqrstuvwxyz"  # noqa: S105


class Contender(NamedTuple):
    """One server."""

    title: str
    command: Callable[[int], list[str]]
    """What starts it at a port."""
    ours: bool = False
    dialect: str = "wire"
    needs_node: bool = False

    @property
    def is_here(self) -> bool:
        """Whether what it needs is installed."""
        return not self.needs_node or bool(node())


class Setup(NamedTuple):
    """A contender that runs, with the Valkey it has to itself."""

    ports: list[int]
    server_pids: list[int]
    valkey_pid: int
    valkey_port: int
    environment: Mapping[str, str]


def _node(script: str) -> Callable[[int], list[str]]:
    return lambda port: [node(), str(ROOT / "benchmarks/peers/node" / script)]


def _daphne(port: int) -> list[str]:
    return [sys.executable, "manage.py", "serve", "--port", str(port)]


def _uvicorn(port: int) -> list[str]:
    options = [
        "--loop",
        "uvloop",
        "--ws",
        "aleatoria.servers.uvicorn:UvicornSocket",
        "--no-access-log",
        "--log-level",
        "warning",
    ]
    return [sys.executable, "-m", "uvicorn", "aleatoria.asgi:application", "--port", str(port), *options]


def _tutorial(port: int) -> list[str]:
    return [str(BIN / "daphne"), "-v", "0", "-p", str(port), "benchmarks.peers.tutorial.asgi:application"]


CONTENDERS = {
    "daphne": Contender("ours on daphne", _daphne, ours=True),
    "uvicorn": Contender("ours on uvicorn", _uvicorn, ours=True),
    "socketio": Contender("socket.io", _node("socketio.js"), dialect="socketio", needs_node=True),
    "ws": Contender("bare ws", _node("ws.js"), needs_node=True),
    "tutorial": Contender("Channels tutorial", _tutorial),
}


@contextmanager
def started(contender: Contender, directory: Path, *, servers: int = 1, profile: Path | None = None) -> Iterator[Setup]:
    """So many servers of a contender, fresh, with a fresh Valkey; they end with the block.

    With `profile`, one of ours runs under cProfile, which writes there in the end.
    """
    with ExitStack() as stack:
        valkey_pid, valkey_port = stack.enter_context(valkey(directory))
        base = _environment(contender, directory, valkey_port)
        ports, pids = [free_port() for _ in range(servers)], []
        for port in ports:
            command, stop = contender.command(port), signal.SIGTERM
            if profile and contender.ours:
                # SIGINT, as uvicorn dies of SIGTERM without a word to the profiler.
                command[1:1], stop = ["-m", "cProfile", "-o", f"{profile}-{port}.prof"], signal.SIGINT
            process = running(command, port, base | {"PORT": str(port)}, directory / "server.log", stop)
            pids += family(stack.enter_context(process))
        yield Setup(ports, pids, valkey_pid, valkey_port, base)


def _environment(contender: Contender, directory: Path, valkey_port: int) -> dict[str, str]:
    """The variables it is configured with; settings of a developer's own `.env` are not to count."""
    common = {"DATA_DIR": str(directory), "VALKEY_PORT": str(valkey_port), "NODE_ENV": "production"}
    if not contender.ours:
        return common | {"DJANGO_SETTINGS_MODULE": "benchmarks.peers.tutorial.settings", "PYTHONPATH": str(ROOT)}
    return common | {
        "DJANGO_SETTINGS_MODULE": "aleatoria.settings",
        "DEBUG": "off",
        "SECRET_KEY": SECRET_KEY,
        "ALLOWED_HOSTS": "127.0.0.1",
        "TRUST_USER_ID": "on",
        "RATE_LIMITS": "off",
        "VALKEY_HOST": "127.0.0.1",
        "PYTHONPATH": str(ROOT),
    }
