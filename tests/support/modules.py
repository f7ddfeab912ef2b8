"""The modules of the project."""

from functools import cache
from pathlib import Path

from tests.support.repository import ROOT


@cache
def modules() -> dict[str, Path]:
    """Every module of the project but the tests, by its dotted name."""
    files = [
        ROOT / "manage.py",
        *(file for top in ("aleatoria", "chat", "matchmaking") for file in (ROOT / top).rglob("*.py")),
    ]
    dotted = {file: ".".join(file.relative_to(ROOT).with_suffix("").parts) for file in sorted(files)}
    return {name.removesuffix(".__init__"): file for file, name in dotted.items()}
