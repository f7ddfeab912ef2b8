"""The commands of `manage.py`, run in this process or as an operator runs them."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from aleatoria.valkey.address import Address
from tests.support.processes import PATIENCE, inherited
from tests.support.repository import ROOT

DAY = 24 * 60 * 60
"""Seconds."""


def seconds_since(time: str) -> float:
    """Return how long ago a moment in a JSON document was."""
    return (datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds()


class Ran(NamedTuple):
    """What a command has left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it has printed, which must be JSON, and nothing else."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """What it has printed, white space made one space each."""
        return [" ".join(line.split()) for line in self.out.splitlines()]


class Manage:
    """`await manage("inspect_rooms", "--json")`: a command on the Valkey at an address."""

    def __init__(self, address: Address, data: Path) -> None:
        self._address = address
        self._data = data

    @property
    def environment(self) -> dict[str, str]:
        """What a process of its own is given."""
        where = {"VALKEY_HOST": self._address.host, "VALKEY_PORT": str(self._address.port)}
        return inherited() | {"DEBUG": "on", "DATA_DIR": str(self._data)} | where

    async def __call__(self, *arguments: str) -> Ran:
        """Run it here, beside the event loop."""
        return await asyncio.to_thread(self._run, arguments)

    async def json(self, *arguments: str) -> Any:
        """What a command says with --json; it must go well."""
        ran = await self(*arguments, "--json")
        assert ran.status == 0, ran
        return ran.json

    def process(self, *arguments: str, **environment: str) -> Ran:
        """Run it in a process of its own."""
        command, surroundings = [sys.executable, "manage.py", *arguments], self.environment | environment
        ran = subprocess.run(
            command, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def shell(self, pipe: str) -> Ran:
        """Run a pipe of a shell in which `manage` is manage.py; the status is that of its first part."""
        script = f'manage() {{ "$PYTHON" manage.py "$@"; }}; {pipe}; exit "${{PIPESTATUS[0]}}"'
        ran = subprocess.run(
            ["bash", "-c", script],
            cwd=ROOT, env=self.environment | {"PYTHON": sys.executable},
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def _run(self, arguments: tuple[str, ...]) -> Ran:
        out, err, status = StringIO(), StringIO(), 0
        where = {"VALKEY_HOST": self._address.host, "VALKEY_PORT": self._address.port}
        with override_settings(VALKEY_CONFIGURED=True, **where):
            try:
                call_command(*arguments, stdout=out, stderr=err)
            except CommandError as error:
                status = error.returncode
                err.write(str(error))
            except SystemExit as end:
                status = int(end.code or 0)
        return Ran(status, out.getvalue(), err.getvalue())
