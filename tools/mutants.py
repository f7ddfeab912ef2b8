"""Put small faults into the code, one at a time, and see that the tests notice: `make mutants`.

The faults are in tests/mutants/*.toml, a table each:

    [[fault]]
    file = "chat/store/repeats.py"
    is = "now + LASTS"                 # stands in the file exactly once
    becomes = "now + 10 * LASTS"
    harms = "An id used again after five minutes is swallowed."
    tests = ["tests/chat/test_repeats.py"]

A fault is noticed when its tests fail. `make mutants ARGS="repeats"` tries only the faults whose file, harm or tests
contain a word. Exits with 1 when a fault survives, cannot be put in, or has tests that fail without it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LEFT_BEHIND = shutil.ignore_patterns(".git", ".venv", "node_modules", "data", "build", "*.egg-info", "__pycache__")
FAILED = re.compile(rb"^(FAILED|ERROR) [^ ]+::", re.MULTILINE)
"""A line of pytest's summary. Without one no test has failed, but something else, such as an import."""
DEADLINE = 300.0
"""Seconds for the tests of one fault. A fault that makes them hang is noticed."""


class Fault(NamedTuple):
    """A change of one place in one file, whom it would harm, and the tests that notice it."""

    file: str
    before: str
    after: str
    harms: str
    tests: tuple[str, ...]

    def mentions(self, word: str) -> bool:
        """Whether the word is in the file's name, the harm or the names of the tests."""
        return word in f"{self.file} {self.harms} {self.tests}"


def faults() -> list[Fault]:
    """All faults, in the order of their files."""
    tables = [tomllib.loads(file.read_text()) for file in sorted((ROOT / "tests" / "mutants").glob("*.toml"))]
    return [
        Fault(one["file"], one["is"], one["becomes"], one["harms"], tuple(one["tests"]))
        for table in tables
        for one in table["fault"]
    ]


def is_placed(fault: Fault) -> bool:
    """Whether the text that the fault replaces stands in its file exactly once."""
    return (ROOT / fault.file).read_text().count(fault.before) == 1


def fail(tree: Path, tests: tuple[str, ...]) -> bool:
    """Whether one of these tests fails in a tree, or they take too long."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ran = subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=DEADLINE, check=False)
    except subprocess.TimeoutExpired:
        return True
    return FAILED.search(ran.stdout) is not None


def is_noticed(tree: Path, fault: Fault) -> bool:
    """Put a fault into the tree, run its tests and take it out again; whether they failed."""
    file = tree / fault.file
    sound = file.read_text()
    file.write_text(sound.replace(fault.before, fault.after))
    try:
        return fail(tree, fault.tests)
    finally:
        file.write_text(sound)


def tried(tree: Path, fault: Fault) -> str:
    """What became of a fault: "noticed", "SURVIVED" or "CANNOT BE PUT IN"."""
    if not is_placed(fault):
        return "CANNOT BE PUT IN"
    return "noticed" if is_noticed(tree, fault) else "SURVIVED"


def main() -> int:
    """Try all faults, or those that contain the given words; 1 when one was not noticed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="try only faults that mention one of these")
    words = parser.parse_args().words
    chosen = [fault for fault in faults() if not words or any(fault.mentions(word) for word in words)]
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        tree = Path(directory) / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_BEHIND)
        if (ROOT / "node_modules").exists():
            (tree / "node_modules").symlink_to(ROOT / "node_modules")
        failing = [tests for tests in sorted({fault.tests for fault in chosen}) if fail(tree, tests)]
        for tests in failing:
            print(f"FAIL WITHOUT ANY FAULT: {' '.join(tests)}")
        outcomes = [_reported(tree, fault) for fault in chosen]
    survived = sum(outcome != "noticed" for outcome in outcomes)
    print(f"{len(outcomes)} faults, {survived} not noticed, {len(failing)} sets of tests that fail by themselves.")
    return int(bool(survived or failing))


def _reported(tree: Path, fault: Fault) -> str:
    began = time.monotonic()
    outcome = tried(tree, fault)
    print(f"{outcome:<8} {time.monotonic() - began:5.1f} s  {fault.file}: {fault.harms}", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
