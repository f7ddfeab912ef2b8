"""The list of small faults that `make mutants` tries is usable, and what it would report is right."""

from pathlib import Path

import pytest

from tests.support.repository import ROOT
from tools import mutants
from tools.mutants import Fault, faults, is_placed, tried

FILE = "calculator.py"


def test_every_fault_can_be_put_in() -> None:
    assert [fault for fault in faults() if not is_placed(fault)] == []


def test_every_fault_changes_something_and_has_tests_that_exist() -> None:
    for fault in faults():
        assert fault.before != fault.after
        assert fault.tests
        assert all((ROOT / test.partition("::")[0]).exists() for test in fault.tests), fault


def test_no_fault_is_listed_twice() -> None:
    placed = [(fault.file, fault.before, fault.after) for fault in faults()]
    assert len(placed) == len(set(placed))


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two functions, of which one is tested."""
    (tmp_path / FILE).write_text("def add(a, b):\n    return a + b\n\n\ndef double(a):\n    return 2 * a\n")
    (tmp_path / "test_calculator.py").write_text(
        "from calculator import add\n\n\ndef test_it_adds():\n    assert add(1, 2) == 3\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    return tmp_path


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
    fault = Fault(FILE, before, after, "Nobody.", ("test_calculator.py",))
    assert tried(tree, fault) == outcome
    assert "return a + b" in (tree / FILE).read_text()
