"""What commands that look at Valkey share: tables for people, JSON for programs, one line when it is away."""

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
from aleatoria.valkey.link import find, valkey
from aleatoria.wire import names

AWAY = 2
"""The exit status when Valkey is away; 1 is any other failure."""
_DAY = 24 * 60 * 60


class ValkeyCommand(BaseCommand):
    """A command that asks Valkey something and shows what it says."""

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
        valkey.address = find()
        try:
            with looking() as client:
                self.look(client, **options)
            self.stdout.flush()  # here: what cannot be written later, Python complains of by itself
        except Away as away:
            raise CommandError(str(away), returncode=AWAY) from away
        except BrokenPipeError:
            # Whoever reads this has seen enough, like `head`. Python would complain of it once more at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except redis.exceptions.RedisError as error:
            raise CommandError(f"Valkey/Redis at {valkey.address} says: {error}", returncode=AWAY) from error

    def look(self, *client: Any, **options: Any) -> None:
        """Ask and show. Called with a client and the options."""
        raise NotImplementedError

    # Showing

    def show_json(self, what: object) -> None:
        """Print it as JSON."""
        self.stdout.write(msgspec.json.format(msgspec.json.encode(what)).decode())

    def show_table(self, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print it as a table; numbers stand to the right."""
        self.stdout.write("\n".join(table(headings, rows)))

    def say(self, text: str) -> None:
        """Print a line; whatever stands in it is printed as it is, control characters escaped."""
        self.stdout.write(escaped(text))


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """The lines of a table; numbers stand to the right, and what is twice as wide on a screen counts twice."""
    columns = [_column(heading, [row[place] for row in rows]) for place, heading in enumerate(headings)]
    return ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]


def _column(heading: str, values: Sequence[object]) -> list[str]:
    cells = [heading, *(escaped(str(value)) for value in values)]
    widths = [cell_len(cell) for cell in cells]
    gaps = [" " * (max(widths) - width) for width in widths]
    is_number = bool(values) and all(isinstance(value, int | float | _Right) for value in values)
    return [gap + cell if is_number else cell + gap for cell, gap in zip(cells, gaps, strict=True)]


class _Right(str):
    """Text that stands to the right in a table."""

    __slots__ = ()


def size(count: int) -> str:
    """A number of bytes for a person."""
    number = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024 or unit == "GiB":
            break
        number /= 1024
    return _Right(f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}")


def span(seconds: float) -> str:
    """A span of time for a person."""
    return _Right(str(timedelta(seconds=round(seconds))))


def moment(when: datetime | None) -> str:
    """A moment for a person, in UTC."""
    return f"{when:%Y-%m-%d %H:%M:%S}" if when else "–"


def room_name(text: str) -> str:
    """The room that an argument names; an error for argparse when it names none."""
    try:
        return names.room_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def user_id(text: str) -> str:
    """The user that an argument names; an error for argparse when it names none."""
    if not names.is_user_id(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a user id.")
    return text


def natural(text: str) -> int:
    """A whole number from 1; an error for argparse when it is none, or more than there can be of anything."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {10**9 - 1}.")
    return int(text)


def seconds(text: str) -> float:
    """A span of time from a moment to a day; an error for argparse when it is none."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= _DAY:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0, up to a day.")
    return number
