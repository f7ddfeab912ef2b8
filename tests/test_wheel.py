"""The wheel: what it holds, and that a server installed from it starts where nothing is configured."""

import email
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
import zipfile
from pathlib import Path

import pytest
from django.conf import settings

from benchmarks.processes import free_port
from tests.support.processes import PATIENCE, inherited
from tests.support.repository import ROOT
from tests.support.serving import Serving
from tests.support.wire import Wire

PACKAGES = ("aleatoria", "chat", "matchmaking")
NOT_SOURCE = shutil.ignore_patterns(".*", "node_modules", "__pycache__", "data", "build", "*.egg-info", "screenshots")
TRIAL = "Nothing is configured, so this server is for trying things out on this machine only: DEBUG is on."

pytestmark = pytest.mark.timeout(120)


def run(*command: str | Path, where: Path) -> str:
    """What a command prints; it must succeed."""
    ran = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the checkout, so that the build leaves nothing in the checkout."""
    source, built = tmp_path_factory.mktemp("source") / "aleatoria", tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, source, ignore=NOT_SOURCE)
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", *offline, "--wheel-dir", built, ".", where=source)
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a virtual environment with the wheel; its dependencies are those of the test run."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", environment, where=ROOT)
    python = environment / "bin" / "python"
    offline = ("--no-deps", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", *offline, wheel, where=ROOT)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return environment / "bin"


class Installed(Serving):
    """A server of the wheel, started in `directory` without any variable but those of a measurement."""

    def __init__(self, directory: Path, *command: str) -> None:
        super().__init__(directory)
        self.environment = {name: value for name, value in inherited().items() if name != "PATH"}
        self.directory = directory
        self.data = directory / "data"
        self._command = command
        # A Valkey that may run on this machine is not for tests. A variable would be configuration from outside.
        (directory / ".env").write_text(f"VALKEY_PORT={free_port()}\n")

    def command(self) -> list[str]:
        return [*self._command, "serve", "--port", str(self.port)]

    def where(self) -> Path:
        return self.directory


def fetched(url: str) -> str:
    """What is served at `url`."""
    with urllib.request.urlopen(url, timeout=PATIENCE) as response:
        return str(response.read(), "utf-8")


def names_in(wheel: Path) -> set[str]:
    """The paths of the files in the wheel, but for its metadata."""
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_the_wheel_holds_every_file_of_the_packages_and_no_other(wheel: Path) -> None:
    files = (file for package in PACKAGES for file in (ROOT / package).rglob("*") if file.is_file())
    expected = {file.relative_to(ROOT).as_posix() for file in files if "__pycache__" not in file.parts}
    assert {Path(name).suffix for name in expected} == {".py", ".lua", ".html", ".css", ".js", ".ts", ".svg"}
    assert names_in(wheel) == expected


def test_the_metadata_are_those_of_the_project(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    information = f"aleatoria-{settings.VERSION}.dist-info"
    metadata = email.message_from_bytes(archive.read(f"{information}/METADATA"))
    assert metadata["Version"] == settings.VERSION
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["Requires-Python"] == ">=3.11"
    assert archive.read(f"{information}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    pinned = (ROOT / "requirements.txt").read_text().splitlines()
    assert metadata.get_all("Requires-Dist") == [line for line in pinned if line and not line.startswith("#")]


def test_the_changelog_has_a_section_for_the_version() -> None:
    assert f"\n## [{settings.VERSION}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("way", [("aleatoria",), ("python", "-m", "aleatoria")], ids=["entry point", "module"])
async def test_an_installed_server_starts_with_nothing_configured(
    installed: Path, tmp_path: Path, way: tuple[str, ...]
) -> None:
    with Installed(tmp_path / "empty", f"{installed}/{way[0]}", *way[1:]) as server:
        trial, valkey, listening = server.said
        assert trial == TRIAL
        assert valkey.startswith("Valkey: its own, at ")
        assert listening.startswith("Listening on http://127.0.0.1:")
        assert "/static/aleatoria/app.js" in fetched(server.url)
        for file in ("aleatoria/app.js", "aleatoria/base.css", "chat/talk.js", "matchmaking/call.js"):
            assert fetched(f"{server.url}/static/{file}") == (ROOT / file.split("/")[0] / "static" / file).read_text()
        async with Wire(server.url, "ana", room="attic") as ana:
            await ana.says("hello")
            assert await ana.hears_said() == "hello"
        assert server.stop_and_listen() == (0, "")


def test_an_installed_server_keeps_its_data_in_the_current_directory(installed: Path, tmp_path: Path) -> None:
    command, directory = f"{installed}/aleatoria", tmp_path / "empty"
    with Installed(directory, command):
        assert {file.name for file in directory.iterdir()} == {".env", "data", "server.log"}
        assert {file.name for file in (directory / "data").iterdir()} >= {"aleatoria.sqlite3", "valkey"}
        shown = subprocess.run(
            [command, "inspect_user", "ana"], cwd=directory, env={}, capture_output=True, text=True, check=False
        )
        assert (shown.returncode, shown.stderr) == (0, "")
        assert shown.stdout.startswith("ana is offline.")
    assert not list(installed.parent.rglob("*.sqlite3"))
