"""Importing a module registers nothing: no connection, hook, chore, listener or store is made until a node is."""

import subprocess
import sys

import pytest

from tests.support.modules import modules
from tests.support.repository import ROOT

# Run with the names of modules as arguments. Each is imported into a process of its own, forked from one in which
# Django is set up and nothing else. What is printed is what it has made of the classes that a node consists of.
LOOK = """
import gc, importlib, os, sys
import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()
sys.stdout.flush()


def made():
    gc.unfreeze()  # what `aleatoria.asgi` has frozen would not be listed
    wings = ("aleatoria.valkey.", "aleatoria.wire.", "aleatoria.operators.totals", "aleatoria.node")
    kept = ("store.", "services", "people", "callers")
    apps = tuple(f"{app}.{part}" for app in ("chat", "matchmaking") for part in kept)
    parts = {
        "Link", "Health", "Subscriber", "Pipeline", "Stream", "ChannelLayer", "Channel", "Failover", "EmbeddedValkey",
        "Host", "Node", "Chores", "Chore", "Totals",
    }
    found = set()
    for each in gc.get_objects():
        kind = type(each)
        module = str(getattr(kind, "__module__", ""))
        if module.startswith(wings) and kind.__name__ in parts:
            found.add(f"{module}.{kind.__name__}")
        if module.startswith(apps) and not issubclass(kind, (type, tuple, BaseException)):
            found.add(f"{module}.{kind.__name__}")
    return sorted(found)


for name in sys.argv[1:]:
    if not (child := os.fork()):
        importlib.import_module(name)
        print(name, *made(), flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print(name, "failed", flush=True)
"""


def imported_alone(*names: str) -> dict[str, list[str]]:
    """What each of the modules makes when it is imported."""
    command = [sys.executable, "-c", LOOK, *names]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=100)
    lines = [line.split() for line in ran.stdout.splitlines()]
    return {name: found for name, *found in lines}


@pytest.mark.timeout(120)
def test_importing_any_one_module_registers_nothing() -> None:
    names = [name for name in modules() if name != "manage"]
    found = imported_alone(*names)
    assert found.keys() == set(names)
    assert {name: made for name, made in found.items() if made} == {}


def test_what_an_import_makes_is_found(tmp_path_factory: pytest.TempPathFactory) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOOK.replace("importlib.import_module(name)", "exec(name)"), MAKES],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=50,
    )  # fmt: skip
    for part in ("node.Node", "link.Link", "chores.Chore", "room_history.RoomHistory", "people.People"):
        assert part in ran.stdout


MAKES = "from aleatoria import node; kept = node.current()"
