"""The JavaScript client's own tests, by Node's test runner, against a real server."""

import subprocess

import pytest

from tests.conftest import MakeServer
from tests.support.repository import ROOT


@pytest.mark.parametrize("name", ["conversation", "client"])
@pytest.mark.timeout(120)
def test_the_client_does_what_it_says(server: MakeServer, nodejs: str, name: str) -> None:
    with server() as running:
        run = subprocess.run(
            [nodejs, "--test", f"tests/page/js/{name}.test.js"],
            cwd=ROOT,
            env={"SERVER": running.url, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
