"""The list of small faults that `make mutants` tries is usable, and what it would report is right."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repository import ROOT
from tools.mutants import faults, is_placed

FILE = "calculator.py"


def test_every_fault_can_be_put_in() -> None:
    assert [fault for fault in faults() if not is_placed(fault)] == []


def test_every_fault_changes_something_and_has_tests_that_exist() -> None:
    for fault in faults():
        assert fault.before != fault.after
        assert fault.tests
        assert all(exists(test) for test in fault.tests), fault


def exists(test: str) -> bool:
    """Whether there is such a test file and, if the test names one, such a function in it."""
    path, _, function = test.partition("::")
    return (ROOT / path).exists() and (
        not function or f"def {function.partition('[')[0]}(" in (ROOT / path).read_text()
    )


def test_no_fault_is_listed_twice() -> None:
    placed = [(fault.file, fault.before, fault.after) for fault in faults()]
    assert len(placed) == len(set(placed))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project of two functions, of which one is tested."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / FILE).write_text("def add(a, b):\n    return a + b\n\n\ndef double(a):\n    return 2 * a\n")
    (tree / "test_calculator.py").write_text(
        "from calculator import add\n\n\ndef test_it_adds():\n    assert add(1, 2) == 3\n"
    )
    (tree / "pytest.ini").write_text("[pytest]\n")
    return tree


# In a process of its own: `tools.mutants` runs pytest itself.
TRY = """
import sys
from pathlib import Path
from tools import mutants

mutants.ROOT = Path(sys.argv[1])
fault = mutants.Fault("calculator.py", sys.argv[2], sys.argv[3], "Nobody.", ("test_calculator.py",))
print(mutants.tried(mutants.ROOT, fault))
"""


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        ("a + b", "a - b", "noticed"),
        ("2 * a", "3 * a", "SURVIVED"),
        ("b * a", "a", "CANNOT BE PUT IN"),
        ("return", "yield", "CANNOT BE PUT IN"),
        ("def add", "def subtract", "SURVIVED"),
    ],
    ids=["tested", "not tested", "not there", "there twice", "cannot be imported"],
)
def test_what_becomes_of_a_fault(tree: Path, before: str, after: str, outcome: str) -> None:
    command = [sys.executable, "-c", TRY, str(tree), before, after]
    path = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=ROOT, env=path, capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.splitlines()[-1] == outcome
    assert "return a + b" in (tree / FILE).read_text()
