"""Who may import whom: read from the source, so that nothing has to be run to see it."""

import ast
from collections.abc import Iterator
from functools import cache

import pytest

from tests.support.modules import modules
from tests.support.repository import ROOT

APPS = ("chat", "matchmaking")
WINGS = ("telemetry", "valkey", "wire", "servers", "operators")
"""From the ground up: each stands on those before it."""
NODE = "aleatoria.node"
# Channels itself, and what of the kernel would bring it in by the back door.
CHANNELS = ("channels", "channels_redis", "aleatoria.wire.consumer", "aleatoria.valkey.layer")
# The parts of an app, from the ground up; each stands on those before it. What is not listed stands on all of them.
PARTS = (("store",), ("services",), ("payloads", "ice"), ("people", "callers"), ("consumers",))
ONLY_KEEPING = ("store", "services")
SETDEFAULT_MAY = ("aleatoria.asgi", "aleatoria.__main__", "manage")
ENVIRONMENT = "aleatoria.environment"


def is_within(module: str, packages: tuple[str, ...]) -> bool:
    """Whether `module` is one of the packages or lies in one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def place(module: str) -> tuple[str, str]:
    """The top-level package of a module, and the part of it that the module belongs to."""
    top, _, rest = module.partition(".")
    return top, rest.partition(".")[0]


@cache
def edge() -> tuple[str, ...]:
    """What Django and the servers are pointed at: everything in the kernel that is neither a wing nor the node."""
    return tuple(name for name in modules() if place(name)[0] == "aleatoria" and is_edge(name))


def is_edge(module: str) -> bool:
    """Whether a module of the kernel belongs to its edge."""
    return module not in ("aleatoria", NODE) and place(module)[1] not in WINGS


def forbidden_to(module: str) -> tuple[str, ...]:
    """What `module` may not import."""
    top, part = place(module)
    if top in APPS:
        return (NODE, *edge(), *(other for other in APPS if other != top), *above_in_app(top, part))
    if top != "aleatoria" or (is_edge(module) and module != "aleatoria"):
        return ()
    if module == NODE:
        return edge()
    higher = WINGS[WINGS.index(part) + 1 :] if part in WINGS else WINGS
    return (*APPS, NODE, *edge(), *(f"aleatoria.{wing}" for wing in higher))


def above_in_app(app: str, part: str) -> tuple[str, ...]:
    """What stands above a part of an app."""
    floor = next((floor for floor, parts in enumerate(PARTS) if part in parts), None)
    if floor is None:
        return ()
    higher = tuple(f"{app}.{other}" for parts in PARTS[floor + 1 :] for other in parts)
    return (*higher, *CHANNELS) if part in ONLY_KEEPING else higher


def imported(module: str, tree: ast.AST) -> Iterator[str]:
    """Everything `module` imports, wherever in the file; of `from a import b` both `a` and `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")[: -node.level] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def environment_reads(tree: ast.AST, *, setdefault_is_fine: bool) -> int:
    """How often the process environment is touched."""
    touched = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and node.attr in ("environ", "environb", "getenv")
    ]
    fine = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "os.environ.setdefault"
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value == "DJANGO_SETTINGS_MODULE"
    ]
    return len(touched) - (len(fine) if setdefault_is_fine else 0)


def complaints(module: str, source: str) -> list[str]:
    """What is wrong with the imports of `module`."""
    tree = ast.parse(source)
    names = sorted(set(imported(module, tree)))
    found = [f"{module} imports {name}" for name in names if is_within(name, forbidden_to(module))]
    reads = environment_reads(tree, setdefault_is_fine=module in SETDEFAULT_MAY)
    from_os = {"os.environ", "os.environb", "os.getenv"}.intersection(names)
    if module != ENVIRONMENT and (reads or from_os):
        found.append(f"{module} reads the environment")
    return found


def test_everything_imports_only_what_it_may() -> None:
    found = modules()
    assert {"manage", "aleatoria.wire.consumer", "chat.services", "chat.store.paging"} <= found.keys()
    assert [wrong for name, file in found.items() for wrong in complaints(name, file.read_text())] == []


def test_every_folder_of_the_kernel_is_a_wing_or_of_the_edge() -> None:
    folders = {file.parent.name for file in (ROOT / "aleatoria").glob("*/__init__.py")}
    assert folders == {*WINGS, "management", "migrations", "templatetags"}


def test_the_kernel_package_is_empty() -> None:
    assert (ROOT / "aleatoria" / "__init__.py").read_text() == ""


@pytest.mark.parametrize(
    ("module", "source"),
    [
        # Each wing, with an arrow turned round.
        ("aleatoria.telemetry.metrics", "from aleatoria.valkey.link import Link"),
        ("aleatoria.telemetry.logs", "from aleatoria.wire import envelope"),
        ("aleatoria.valkey.link", "from aleatoria.wire import clock"),
        ("aleatoria.valkey.embedded", "import aleatoria.servers.daphne"),
        ("aleatoria.wire.consumer", "from aleatoria.servers.outbox import Outbox"),
        ("aleatoria.wire.host", "from aleatoria.operators import totals"),
        (
            "aleatoria.wire.host",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import aleatoria.node",
        ),
        ("aleatoria.servers.daphne", "from aleatoria.operators import stats"),
        ("aleatoria.operators.stats", "from aleatoria import node"),
        ("aleatoria.operators.console", "from aleatoria.sites import Site"),
        ("aleatoria.node", "from aleatoria import routing"),
        ("aleatoria.node", "from aleatoria.asgi import application"),
        # The kernel knows no app.
        ("aleatoria.wire.envelope", "import chat"),
        ("aleatoria.wire.envelope", "from chat.services import ChatServices"),
        ("aleatoria.wire.envelope", "def late():\n    from matchmaking import services"),
        ("aleatoria.operators.stats", "import chat.stats"),
        ("aleatoria.wire.envelope", "from aleatoria import settings"),
        ("aleatoria.wire.envelope", "from .. import views"),
        ("aleatoria.valkey.embedded", "from aleatoria.management.commands.serve import Command"),
        # The apps.
        ("chat.consumers", "from matchmaking.services import CallServices"),
        ("chat.install", "from aleatoria.node import Node"),
        ("chat.admin", "from aleatoria import node"),
        ("matchmaking.store.pool", "import chat.store.membership"),
        ("chat.services.messages", "from aleatoria.settings import DEBUG"),
        ("chat.services.messages", "from chat.consumers import ChatConsumer"),
        ("chat.services.messages", "from ..consumers import ChatConsumer"),
        ("chat.services.messages", "from chat.people import People"),
        ("chat.services.messages", "from channels.layers import get_channel_layer"),
        ("chat.services", "from aleatoria.valkey.layer import ChannelLayer"),
        ("chat.store.paging", "from chat import services"),
        ("chat.store.paging", "from .. import services"),
        ("chat.store.paging", "import channels"),
        ("chat.payloads", "from chat import consumers"),
        ("matchmaking.callers", "from matchmaking.consumers import MatchmakingConsumer"),
        # The environment.
        ("chat.services", "import os\nTTL = os.environ['TTL']"),
        ("chat.services", "import os\nTTL = os.getenv('TTL')"),
        ("aleatoria.valkey.link", "from os import environ"),
        ("aleatoria.asgi", "import os\nos.environ.setdefault('DEBUG', 'on')"),
        ("aleatoria.__main__", "import os\nos.environ.setdefault('DEBUG', 'on')"),
        ("aleatoria.settings", "import os\nDEBUG = os.environ.get('DEBUG')"),
        ("aleatoria.valkey.link", "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'x')"),
    ],
)
def test_what_may_not_be_is_found(module: str, source: str) -> None:
    assert complaints(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("aleatoria.wire.envelope", "from django.conf import settings"),
        ("aleatoria.wire.envelope", "from aleatoria.wire import clock, names"),
        ("aleatoria.operators.stats", "from aleatoria.valkey.address import Address\nfrom aleatoria.wire import names"),
        ("aleatoria.node", "from chat.install import install\nfrom aleatoria.operators.totals import Totals"),
        ("aleatoria.routing", "from chat.consumers import ChatConsumer\nfrom aleatoria import node"),
        ("aleatoria.management.commands.serve", "from aleatoria.asgi import application"),
        ("chat.consumers.rooms", "from channels.layers import get_channel_layer\nfrom chat import services"),
        ("chat.services", "from chat.store.paging import Page\nfrom aleatoria.valkey.link import Link"),
        ("chat.admin", "from aleatoria.operators.console import ConsoleAdmin\nfrom chat import consumers"),
        ("aleatoria.environment", "import os\nDEBUG = os.environ.get('DEBUG')"),
        ("aleatoria.__main__", "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'aleatoria.settings')"),
        ("manage", "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'aleatoria.settings')"),
    ],
)
def test_what_may_be_is_left_alone(module: str, source: str) -> None:
    assert complaints(module, source) == []
