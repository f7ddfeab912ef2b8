"""Ours and others side by side: `make bench`, or `python -m benchmarks`.

Starts each contender fresh with a Valkey of its own, puts each workload on it, several rounds in turn, and prints the
medians. benchmarks/README.md says what the columns mean.
"""

import argparse
import json
import shlex
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import redis

from benchmarks import charts, report
from benchmarks.contenders import CONTENDERS, Setup, started
from benchmarks.machine import machine
from benchmarks.processes import ROOT, make_room_for_sockets
from benchmarks.report import Measured
from benchmarks.workloads import WORKLOADS

EXAMPLES = """examples:
  python -m benchmarks
  python -m benchmarks --rounds 1 --seconds 1
  python -m benchmarks --contenders daphne,socketio --workloads rooms,direct
  python -m benchmarks --contenders daphne --workloads rooms --rounds 1 --profile /tmp
  python -m benchmarks --json benchmarks/results.json --charts docs/benchmarks
"""
KEPT_AT_LEAST = 10_000
"""Ours keeps so many messages of a room."""


class Failed(Exception):
    """A workload did not go as it must; its figures do not count."""


def main() -> None:
    """Measure and tell."""
    asked = _arguments().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    make_room_for_sockets()
    if left_out := [contender.title for contender in CONTENDERS.values() if not contender.is_here]:
        print(f"LEFT OUT, as Node.js or npm is not installed: {', '.join(left_out)}.")
    with suppress(KeyboardInterrupt):
        measured, failures = _rounds(asked)
        described = machine()
        print(report.table(measured))
        print(f"\n{report.summary(described, asked.rounds, asked.seconds)}")
        if asked.json:
            text = report.as_json(measured, described, rounds=asked.rounds, seconds=asked.seconds)
            Path(asked.json).write_text(text)
        if asked.charts:
            charts.draw(measured, Path(asked.charts))
        sys.exit("\n".join([f"{len(failures)} FAILED:", *failures]) if failures else 0)
    sys.exit(130)


def _rounds(asked: argparse.Namespace) -> tuple[list[Measured], list[str]]:
    measured: list[Measured] = []
    failures: list[str] = []
    for number in range(1, asked.rounds + 1):
        for workload in asked.workloads:
            for contender in asked.contenders:  # one behind the other: a slow minute of the machine is that of all
                if CONTENDERS[contender].is_here and contender in (WORKLOADS[workload].only or CONTENDERS):
                    print(f"round {number}: {contender} {workload}", file=sys.stderr, flush=True)
                    try:
                        measured += _measure(number, contender, workload, asked)
                    except Failed as failed:
                        failures.append(f"round {number}, {contender}, {workload}: {failed}")
                        print(failures[-1], file=sys.stderr)
    return measured, failures


def _measure(number: int, contender: str, workload: str, asked: argparse.Namespace) -> list[Measured]:
    if not WORKLOADS[workload].load:
        return _pairing(number, contender, workload)
    with (
        tempfile.TemporaryDirectory() as directory,
        started(
            CONTENDERS[contender],
            Path(directory),
            servers=WORKLOADS[workload].servers,
            profile=asked.profile and Path(asked.profile).absolute() / f"{contender}-{workload}",
        ) as setup,
    ):
        command = [sys.executable, "-m", "benchmarks.load", WORKLOADS[workload].load, f"--seconds={asked.seconds}"]
        command += [f"--dialect={CONTENDERS[contender].dialect}", f"--valkey-pid={setup.valkey_pid}"]
        command += [f"--ports={_joined(setup.ports)}", f"--server-pids={_joined(setup.server_pids)}"]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if ended.returncode:
            log = (Path(directory) / "server.log").read_text()[-3000:]
            raise Failed(f"{shlex.join(command)} failed:\n{ended.stderr}\nThe server's log:\n{log}")
        figures = json.loads(ended.stdout)
        _check_kept(setup, figures.pop("said"))
        if CONTENDERS[contender].ours:
            _audit(setup)
        return [Measured(number, contender, workload, figures)]


def _joined(numbers: list[int]) -> str:
    return ",".join(map(str, numbers))


def _check_kept(setup: Setup, said: int) -> None:
    """Nobody wins by forgetting."""
    client = redis.Redis(port=setup.valkey_port)
    kept = sum(client.zcard(key) for key in client.scan_iter("room:messages:*", count=1000))
    kept += sum(client.llen(key) for key in client.scan_iter("dm:*", count=1000))
    client.close()
    if kept < min(said, KEPT_AT_LEAST):
        raise Failed(f"of {said} messages {kept} were kept")


def _audit(setup: Setup) -> None:
    command = [sys.executable, "manage.py", "audit"]
    ended = subprocess.run(command, cwd=ROOT, env=setup.environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise Failed(f"the audit after the workload found something:\n{ended.stdout}{ended.stderr}")


def _pairing(number: int, contender: str, workload: str) -> list[Measured]:
    """The store's cost of a pair, for as many who wait as the workload's name says."""
    cost = _pairing_costs(number)[workload.rpartition("-")[2]]
    return [Measured(number, contender, workload, {"ops_a_second": cost["pairs_a_second"], "cpu_us": cost["cpu_us"]})]


@cache
def _pairing_costs(number: int) -> dict[str, dict[str, float]]:
    """In this round, by how many wait."""
    command = [sys.executable, "-m", "benchmarks.pairing", "--json"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return dict(json.loads(said)["costs"])


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )

    def some_of(known: list[str]) -> dict[str, object]:
        def convert(text: str) -> list[str]:
            if unknown := [name for name in text.split(",") if name not in known]:
                raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
            return [name for name in known if name in text.split(",")]

        return {"type": convert, "default": known, "metavar": "NAME,…", "help": f"of {', '.join(known)} (default: all)"}

    parser.add_argument("--contenders", **some_of(list(CONTENDERS)))  # type: ignore[arg-type]
    parser.add_argument("--workloads", **some_of(list(WORKLOADS)))  # type: ignore[arg-type]
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a timed run (default: %(default)s)")
    parser.add_argument("--json", metavar="PATH", help="write all rounds, the medians and the machine there")
    parser.add_argument("--profile", metavar="DIR", help="run ours under cProfile and write what it says there")
    parser.add_argument("--charts", metavar="DIR", help="write SVG charts there")
    return parser


if __name__ == "__main__":
    main()
