"""The base class of the commands that query Valkey: tables for people, JSON for programs, one line on an error."""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec
import redis
from django.core.management.base import BaseCommand, CommandError
from rich.cells import cell_len

from aleatoria.operators.stats import Away, looking
from aleatoria.telemetry.logs import escaped
from aleatoria.valkey.address import find
from aleatoria.wire import names

AWAY = 2
"""The exit status when Valkey is away. Any other failure is 1."""
_DAY = 24 * 60 * 60
"""Seconds."""


class ValkeyCommand(BaseCommand):
    """A command that queries Valkey and shows the answers."""

    requires_system_checks: list[str] = []
    examples: ClassVar[Sequence[str]] = ()
    """The arguments in the examples of `--help`, without the program's name."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        program = os.path.basename(prog_name) or "manage.py"
        lines = "".join(f"  {program} {example}\n" for example in self.examples)
        return super().create_parser(
            prog_name,
            subcommand,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            epilog=f"examples:\n{lines}",
            **kwargs,
        )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON, for programs")

    def handle(self, *args: object, **options: Any) -> None:
        address = find()
        try:
            with looking(address) as client:
                self.look(client, **options)
            self.stdout.flush()  # now, so that an error while writing is handled below
        except Away as away:
            raise CommandError(str(away), returncode=AWAY) from away
        except BrokenPipeError:
            # The reader has closed the pipe, as `head` does. Python would report that once more when it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except redis.exceptions.RedisError as error:
            raise CommandError(f"Valkey/Redis at {address} says: {error}", returncode=AWAY) from error

    def look(self, *client: Any, **options: Any) -> None:
        """Query Valkey and show the answers. Called with a client and the options."""
        raise NotImplementedError

    # Showing

    def show_json(self, what: object) -> None:
        """Print a value as JSON."""
        self.stdout.write(msgspec.json.format(msgspec.json.encode(what)).decode())

    def show_table(self, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print rows as a table. Numbers are aligned to the right."""
        self.stdout.write("\n".join(table(headings, rows)))

    def say(self, text: str) -> None:
        """Print a line as it is, with control characters escaped."""
        self.stdout.write(escaped(text))


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Return the lines of a table. Numbers are aligned to the right, and wide characters count as two columns."""
    columns = [_column(heading, [row[place] for row in rows]) for place, heading in enumerate(headings)]
    return ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]


def _column(heading: str, values: Sequence[object]) -> list[str]:
    cells = [heading, *(escaped(str(value)) for value in values)]
    widths = [cell_len(cell) for cell in cells]
    gaps = [" " * (max(widths) - width) for width in widths]
    is_number = bool(values) and all(isinstance(value, int | float | _Right) for value in values)
    return [gap + cell if is_number else cell + gap for cell, gap in zip(cells, gaps, strict=True)]


class _Right(str):
    """Text that a table aligns to the right."""

    __slots__ = ()


def size(count: int) -> str:
    """Write a number of bytes for a person."""
    number = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024 or unit == "GiB":
            break
        number /= 1024
    return _Right(f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}")


def count_of(number: int, noun: str) -> str:
    """Write a number of things for a person: `1 room`, `2 rooms`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def span(length: float) -> str:
    """Write a span of time, given in seconds, for a person."""
    return _Right(str(timedelta(seconds=round(length))))


def moment(when: datetime | None) -> str:
    """Write a moment for a person, in UTC."""
    return f"{when:%Y-%m-%d %H:%M:%S}" if when else "–"


def room_name(text: str) -> str:
    """Read a room name from an argument. ArgumentTypeError when it is not one."""
    try:
        return names.room_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def user_id(text: str) -> str:
    """Read a user id from an argument. ArgumentTypeError when it is not one."""
    if not names.is_user_id(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a user id.")
    return text


def natural(text: str) -> int:
    """Read a whole number from 1 to 999,999,999 from an argument. ArgumentTypeError when it is not one."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {10**9 - 1}.")
    return int(text)


def seconds(text: str) -> float:
    """Read a number of seconds above 0, up to a day, from an argument. ArgumentTypeError when it is not one."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= _DAY:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0, up to a day.")
    return number
