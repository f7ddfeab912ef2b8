"""Put small faults into the code, one at a time, and see that the tests notice: `make mutants`.

The faults are in tests/mutants/*.toml, a table each:

    [[fault]]
    file = "chat/store/repeats.py"
    is = "now + LASTS"                 # stands in the file exactly once
    becomes = "now + 10 * LASTS"
    harms = "An id used again after five minutes is swallowed."
    tests = ["tests/chat/test_repeats.py"]

A fault is noticed when its tests fail. `make mutants ARGS="repeats"` tries only the faults whose file, harm or tests
contain a word. The libraries are imported once; for each fault a process is forked, so that most take a second or two.
Exits with 1 when a fault survives, cannot be put in, or has tests that fail without it.
"""

import argparse
import importlib
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
LEFT_BEHIND = shutil.ignore_patterns(".git", ".venv", "node_modules", "data", "build", "*.egg-info", "__pycache__")
OWN = ("aleatoria", "chat", "matchmaking", "benchmarks", "tests", "tools")
"""The packages that each process imports from the tree with the fault."""
LIBRARIES = (
    "channels",
    "django.contrib.admin",
    "django.test",
    "hypothesis",
    "playwright.async_api",
    "twisted",
    "websockets",
)
FAILED = re.compile(rb"^(FAILED|ERROR) [^ ]+::", re.MULTILINE)
"""A line of pytest's summary. Without one no test has failed, but something else, such as an import."""
DEADLINE = 300.0
"""Seconds for the tests of one fault. A fault that makes them hang is noticed."""
WITHOUT_FAULTS = 1800.0
"""Seconds for all the tests that the faults name, which are run once without a fault."""


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


def preload() -> None:
    """Import what all tests need and no fault is in."""
    for library in LIBRARIES:
        importlib.import_module(library)


def fail(tree: Path, tests: tuple[str, ...], within: float = DEADLINE) -> bool:
    """Whether one of these tests fails in a tree, or they take longer than so many seconds."""
    output = tree.parent / f"{tree.name}.output"
    child = os.fork()
    if not child:
        _test(tree, tests, output)
    deadline = time.monotonic() + within
    while not os.waitpid(child, os.WNOHANG)[0]:
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return True
        time.sleep(0.02)
    return FAILED.search(output.read_bytes()) is not None


def _test(tree: Path, tests: tuple[str, ...], output: Path) -> None:
    """Run tests of a tree in this process, which ends with them. It was forked for that."""
    os.setsid()
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.chdir(tree)
    os.environ |= {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    sys.path[:] = [str(tree), *(place for place in sys.path if place not in ("", str(ROOT)))]
    for name in [name for name in sys.modules if name.partition(".")[0] in OWN]:
        del sys.modules[name]
    quietly = (
        "-q",
        "-x",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    )
    status = pytest.main([*quietly, *tests])
    sys.stdout.flush()
    os._exit(int(status))


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
    preload()
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        tree = Path(directory) / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_BEHIND)
        if (ROOT / "node_modules").exists():
            (tree / "node_modules").symlink_to(ROOT / "node_modules")
        named = tuple(sorted({test for fault in chosen for test in fault.tests}))
        are_sound = not fail(tree, named, WITHOUT_FAULTS)
        if not are_sound:
            print((tree.parent / f"{tree.name}.output").read_text()[-2000:])
            print("THESE TESTS FAIL WITHOUT ANY FAULT, so what follows says little.", flush=True)
        outcomes = [_reported(tree, fault) for fault in chosen]
    survived = sum(outcome != "noticed" for outcome in outcomes)
    print(f"{len(outcomes)} faults, {survived} not noticed.")
    return int(bool(survived) or not are_sound)


def _reported(tree: Path, fault: Fault) -> str:
    began = time.monotonic()
    outcome = tried(tree, fault)
    print(f"{outcome:<8} {time.monotonic() - began:5.1f} s  {fault.file}: {fault.harms}", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
