"""Who may import whom: read from the source, so that nothing has to be run to see it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.repository import ROOT

APPS = ("chat", "matchmaking")
_AT_THE_EDGE = ("__main__", "environment", "settings", "trial", "asgi", "routing", "urls", "views", "management")
EDGE = tuple(f"aleatoria.{name}" for name in _AT_THE_EDGE)
# Channels itself, and what of the kernel would bring it in by the back door.
CHANNELS = ("channels", "channels_redis", "aleatoria.wire.consumer", "aleatoria.valkey.layer")
SETDEFAULT_MAY = ("aleatoria.asgi", "aleatoria.__main__", "manage")
ENVIRONMENT = "aleatoria.environment"


def is_within(module: str, packages: tuple[str, ...]) -> bool:
    """Whether `module` is one of the packages or lies in one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def forbidden_to(module: str) -> tuple[str, ...]:
    """What `module` may not import."""
    app, _, part = module.partition(".")
    if app in APPS:
        return (*EDGE, *(other for other in APPS if other != app), *above(app, part))
    if app == "aleatoria" and not is_within(module, EDGE):
        return (*APPS, *EDGE)
    return ()


def above(app: str, part: str) -> tuple[str, ...]:
    """What lies above a part of an app: consumers → services → store."""
    if is_within(part, ("store",)):
        return (f"{app}.services", f"{app}.payloads", f"{app}.consumers", *CHANNELS)
    if is_within(part, ("services",)):
        return (f"{app}.consumers", *CHANNELS)
    if is_within(part, ("payloads",)):
        return (f"{app}.consumers",)
    return ()


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


def modules() -> dict[str, Path]:
    """Every module of the project but the tests, by its dotted name."""
    files = [ROOT / "manage.py", *(file for top in ("aleatoria", *APPS) for file in (ROOT / top).rglob("*.py"))]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in sorted(files)}


def test_everything_imports_only_what_it_may() -> None:
    found = modules()
    assert {"manage", "aleatoria.wire.consumer", "chat.services", "chat.store.paging"} <= found.keys()
    assert [wrong for name, file in found.items() for wrong in complaints(name, file.read_text())] == []


def test_the_kernel_package_is_empty() -> None:
    assert (ROOT / "aleatoria" / "__init__.py").read_text() == ""


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("aleatoria.wire.envelope", "import chat"),
        ("aleatoria.wire.envelope", "from chat.services import rooms"),
        ("aleatoria.wire.envelope", "def late():\n    from matchmaking import services"),
        ("aleatoria.wire.envelope", "from aleatoria import settings"),
        ("aleatoria.wire.envelope", "from . import views"),
        ("aleatoria.valkey.embedded", "from aleatoria.management.commands.serve import Command"),
        ("chat.consumers", "from matchmaking.services import pair"),
        ("matchmaking.store.pool", "import chat.store.membership"),
        ("chat.services", "from aleatoria.settings import DEBUG"),
        ("chat.services", "from chat.consumers import ChatConsumer"),
        ("chat.services", "from .consumers import ChatConsumer"),
        ("chat.services", "from channels.layers import get_channel_layer"),
        ("chat.services", "from aleatoria.valkey.layer import ChannelLayer"),
        ("chat.store.paging", "from chat import services"),
        ("chat.store.paging", "from .. import services"),
        ("chat.store.paging", "import channels"),
        ("chat.payloads", "from chat import consumers"),
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
        ("aleatoria.wire.envelope", "from aleatoria import clock, names"),
        ("aleatoria.routing", "from chat.consumers import ChatConsumer"),
        ("aleatoria.management.commands.serve", "from aleatoria.asgi import application"),
        ("chat.consumers", "from channels.layers import get_channel_layer\nfrom chat import services"),
        ("chat.services", "from chat.store.paging import Page\nfrom aleatoria.valkey.link import valkey"),
        ("aleatoria.environment", "import os\nDEBUG = os.environ.get('DEBUG')"),
        ("aleatoria.__main__", "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'aleatoria.settings')"),
        ("manage", "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'aleatoria.settings')"),
    ],
)
def test_what_may_be_is_left_alone(module: str, source: str) -> None:
    assert complaints(module, source) == []
