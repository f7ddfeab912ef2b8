"""`make test-clocks`: run tests while an hour, a year or a leap day ends, in minute 42, and on a leap day.

All processes of a run, Valkey's included, see the moved clock. Exits with 1 when a test fails, or where libfaketime is
missing.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.moved_clock import FILE, FOR_SETUP, MOMENTS, set_ahead

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = "faketime/libfaketimeMT.so.1"
SUITE = ["tests/wire", "tests/chat", "tests/operators", "tests/matchmaking", "tests/test_recording.py"]
"""What may depend on the time of day. Tests that need a browser or coturn are left out."""
SHORT = [
    "tests/wire/test_envelope.py",
    "tests/wire/test_session.py",
    "tests/operators/test_admin_calls_page.py",
    "tests/operators/test_admin_room_page.py",
    "tests/operators/test_admin_valkey_page.py",
    "tests/operators/test_inspect_pool.py",
    "tests/operators/test_totals.py",
]
"""What depends on it most."""
SHORT_MOMENTS = ["minute 42", "the end of a year"]
SLEEP = """
import select, time


def sleep(seconds):
    select.select([], [], [], seconds)


time.sleep = sleep
"""
"""What each Python process runs first. With libfaketime 0.9.10 the time.sleep of Python 3.11 raises OSError."""


def main() -> int:
    """Run the tests at each moment; return 1 when a test has failed."""
    options = arguments()
    library = found(LIBRARY)
    if library is None:
        print("NOTHING WAS TESTED WITH ANOTHER CLOCK: install libfaketime (on Debian, apt-get install faketime).")
        return 1
    moments = options.moment or (SHORT_MOMENTS if options.short else list(MOMENTS))
    tests = options.tests or (SHORT if options.short else SUITE)
    failed = [moment for moment in moments if not pass_at(moment, tests, library)]
    print(f"Tests failed at {', '.join(failed)}." if failed else "No test depends on the time.")
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make test-clocks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="only what depends on the time most, at two moments")
    parser.add_argument("--moment", action="append", choices=MOMENTS, help="only this; may be given several times")
    parser.add_argument("tests", nargs="*", help="only these files or folders")
    return parser.parse_args()


def found(library: str) -> Path | None:
    """Return the path of a library, or None where it is not installed."""
    folders = [Path("/usr/lib"), Path("/usr/local/lib"), *Path("/usr/lib").glob("*-linux-gnu")]
    return next((folder / library for folder in folders if (folder / library).exists()), None)


def pass_at(moment: str, tests: list[str], library: Path) -> bool:
    """Run tests, each at this moment; return whether all have passed."""
    print(f"With the clock at {moment}:", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "ahead"
        (Path(directory) / "sitecustomize.py").write_text(SLEEP)
        set_ahead(file, (MOMENTS[moment] - FOR_SETUP).timestamp() - time.time())
        environment = os.environ | {
            FILE: str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "LD_PRELOAD": str(library),
            "PYTHONPATH": directory,
        }
        plugin = ["-p", "tests.support.moved_clock", "--clock", moment]
        command = [sys.executable, "-m", "pytest", *plugin, "--durations=0", "--durations-min=30", *tests]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
