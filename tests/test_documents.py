"""The documents against the repository: what they link to and name is there, and the pictures are as they are drawn."""

import re
from pathlib import Path

import pytest

from tests.support.repository import ROOT
from tools import drawings

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])
# The changelog and the decisions name what is gone, too.
CURRENT = ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "benchmarks/README.md")
NAMED = re.compile(r"`([\w*.-][\w*/.-]*/[\w*.-]+\.(?:py|lua|js|html|css|json|yml|md|svg))`")
# What CONTRIBUTING.md's example would add.
EXAMPLE = {
    "chat/templates/chat/waves.html",
    "chat/store/waves.py",
    "chat/store/waves_add.lua",
    "chat/services/waves.py",
}


def without_code(text: str) -> str:
    """A document without what stands in its fences."""
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """The places within a document that can be linked to, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", without_code(text), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(document: Path, link: str) -> bool:
    """Whether a link in a document leads to a file, and to a heading in it."""
    path, _, anchor = link.partition("#")
    target = document.parent / path if path else document
    return target.exists() and (not anchor or anchor in anchors(target.read_text()))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", without_code(document.read_text()))
    inner = [link for link in links if "://" not in link]
    assert [link for link in inner if not leads_somewhere(document, link)] == []


@pytest.mark.parametrize("name", CURRENT)
def test_every_file_that_is_named_is_there(name: str) -> None:
    named = set(NAMED.findall((ROOT / name).read_text())) - EXAMPLE
    places = [ROOT, (ROOT / name).parent]
    assert [path for path in sorted(named) if not any([*place.glob(path)] for place in places)] == []


def test_every_test_that_is_named_is_in_a_file_that_is_named_with_it() -> None:
    for paragraph in re.split(r"\n\n|\n(?=\d\. |- )", (ROOT / "CONTRIBUTING.md").read_text()):
        files = [ROOT / path for path in NAMED.findall(paragraph) if path.startswith("tests/") and path.endswith(".py")]
        for test in re.findall(r"`(test_\w+)`", paragraph):
            assert any(f"def {test}(" in file.read_text() for file in files), test


@pytest.mark.parametrize("name", drawings.PICTURES)
def test_the_pictures_are_as_they_are_drawn(name: str) -> None:
    assert (drawings.DIRECTORY / name).read_text() == drawings.PICTURES[name](), "run python -m tools.drawings"
