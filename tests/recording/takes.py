"""The recording: where it lies, and how it is made anew."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from tests.recording.recorder import Recording, record
from tests.recording.script import conversation, differences
from tests.recording.servers import KINDS

DIRECTORY = Path(__file__).resolve().parent
COMMON = DIRECTORY / "common.txt"
"""What is the same on all kinds of servers, byte for byte."""
OWN = {kind: DIRECTORY / f"{kind}.txt" for kind in KINDS}
"""What each kind does in its own way."""


async def take(directory: Path) -> dict[str, Recording]:
    """Play the script to all kinds of servers at the same time, each with a Valkey of its own."""
    async with asyncio.TaskGroup() as group:
        takes = {
            kind: group.create_task(record(kind, directory / kind, conversation=conversation, differences=differences))
            for kind in KINDS
        }
    return {kind: take.result() for kind, take in takes.items()}


def kept() -> dict[str, Recording]:
    """Return the recording that is committed."""
    return {kind: Recording(read(COMMON), read(path)) for kind, path in OWN.items()}


def keep(recordings: Mapping[str, Recording]) -> None:
    """Write down what was recorded; ValueError when the kinds do not agree on the conversation."""
    first, *others = recordings.values()
    if any(other.common != first.common for other in others):
        raise ValueError("the kinds of servers do not agree on the conversation")
    write(COMMON, first.common)
    for kind, path in OWN.items():
        write(path, recordings[kind].own)


def read(path: Path) -> list[str]:
    """Return the lines of a file."""
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def write(path: Path, lines: list[str]) -> None:
    """Write lines to a file."""
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
