"""`docs/protocol.md` and its tables."""

import re

from tests.support.repository import ROOT

DOCUMENT = (ROOT / "docs" / "protocol.md").read_text()


def rows(heading: str) -> list[tuple[str, ...]]:
    """Return the cells of the table below a heading, without the table's head."""
    section = re.split(r"^#+ ", DOCUMENT.split(f"\n### {heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]]
