"""The bounds of what can be asked of a command, and how numbers are written for people."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

import pytest

from aleatoria.management.commands import watch
from aleatoria.operators import commands
from tests.support.commands import Manage

READERS: dict[str, tuple[Callable[[str], object], dict[str, object], list[str]]] = {
    "whole numbers": (
        commands.natural,
        {"1": 1, "999999999": 999_999_999, "007": 7},
        ["0", "-1", "1000000000", "9" * 30, "1.0", "", " 1", "\u0661"],
    ),
    "seconds": (
        commands.seconds,
        {"0.001": 0.001, "1": 1.0, "86400": 86400.0},
        ["0", "-1", "86400.1", "604800", "nan", "inf", "soon", ""],
    ),
    "users": (
        commands.user_id,
        {"ana": "ana", "a" * 64: "a" * 64},
        ["", "*", "a:b", "system", "a" * 65, "ana\n", "-ana"],
    ),
    "rooms": (
        commands.room_name,
        {"attic": "attic", "cafe\u0301": "caf\u00e9"},
        ["", " attic", "{attic}", "a" * 65, "at\0tic"],
    ),
}


@pytest.mark.parametrize(("read", "good", "bad"), READERS.values(), ids=READERS)
def test_an_argument_is_taken_up_to_its_bounds_and_refused_beyond(
    read: Callable[[str], object], good: dict[str, object], bad: list[str]
) -> None:
    assert {text: read(text) for text in good} == good
    for text in bad:
        with pytest.raises(ArgumentTypeError):
            read(text)


@pytest.mark.parametrize(
    ("count", "written"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1024**2, "1.0 MiB"),
        (5 * 1024**3, "5.0 GiB"),
        (5000 * 1024**3, "5000.0 GiB"),
    ],
)
def test_sizes_are_written_in_units_of_1024(count: int, written: str) -> None:
    assert commands.size(count) == written


@pytest.mark.parametrize(("asked", "done"), [("0.001", 0.2), ("0.2", 0.2), ("7", 7.0)])
async def test_a_watch_asks_valkey_at_most_five_times_a_second(
    manage: Manage, monkeypatch: pytest.MonkeyPatch, asked: str, done: float
) -> None:
    periods: list[float] = []

    def scenes(client: Any, every: float) -> list[Any]:
        periods.append(every)
        return []

    monkeypatch.setattr(watch, "_scenes", scenes)
    await manage("watch", "--every", asked)
    assert periods == [done]
