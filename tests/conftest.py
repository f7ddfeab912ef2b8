"""Fixtures of all tests: a real Valkey, emptied before each test, nodes, servers and browser tabs."""

import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import hypothesis
import pytest
import pytest_asyncio
import redis
from playwright.async_api import Browser

from aleatoria import node as nodes
from aleatoria.asgi import application
from aleatoria.catalog import RULES
from aleatoria.node import Node
from tests.support.browser import running_chromium
from tests.support.leaks import collecting, leaks_in
from tests.support.processes import ServerProcess, ValkeyProcess
from tests.support.repository import ROOT
from tests.support.tab import Tab

# How long an example takes says how busy the machine is. A test that hangs has a timeout.
hypothesis.settings.register_profile("aleatoria", deadline=None)
hypothesis.settings.load_profile("aleatoria")

MakeTab = Callable[..., Tab]
MakeServer = Callable[..., ServerProcess]


class Tool(NamedTuple):
    """A program that the tests need that use the fixture."""

    fixture: str
    is_there: bool
    says: str
    """What is not tested without it, and where to get it."""


AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
HAS_NODE = shutil.which("node") is not None and AXE.exists()
# What is tested with these is left out where they are missing, loudly; CI has them, and leaves nothing out.
TOOLS = [
    Tool("coturn", shutil.which("turnserver") is not None, "Not tested against a real TURN server. Install coturn."),
    Tool("chromium", shutil.which("chromium") is not None, "Not tested in a real browser. Install chromium."),
    Tool("nodejs", HAS_NODE, "The JavaScript client was not tested. Install Node.js and npm, then make node_modules."),
    Tool("axe", HAS_NODE, "Accessibility was not tested. Install Node.js and npm, then make node_modules."),
]
MISSING = [tool for tool in TOOLS if not tool.is_there and os.environ.get("CI") != "true"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    fixtures = {tool.fixture for tool in MISSING}
    left_out = [item for item in items if fixtures.intersection(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for tool in MISSING:
        terminalreporter.section("TESTS WERE LEFT OUT")
        terminalreporter.line(tool.says)
    seed = config.getoption("randomly_seed", None)
    if seed is not None and {"failed", "error"} & terminalreporter.stats.keys():
        terminalreporter.line(f"--randomly-seed={seed} runs the same tests in this order again.")


@pytest.fixture(scope="session", autouse=True)
def nothing_leaks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Check at the end that nothing was logged that must not be in a log, here at any level or by server processes."""
    log = tmp_path_factory.mktemp("logged") / "here.log"
    with collecting(log):
        yield
    assert leaks_in([log, *ServerProcess.logs]) == []


@pytest.fixture(scope="session")
def valkey_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyProcess]:
    """The Valkey of the test run."""
    with ValkeyProcess(tmp_path_factory.mktemp("valkey")) as process:
        yield process


@pytest.fixture
def keys(request: pytest.FixtureRequest, valkey_process: ValkeyProcess) -> Iterator[redis.Redis]:
    """A client of the test run's Valkey, which is emptied before. `manage.py audit` finds nothing afterwards, unless
    the test is marked `plants`."""
    valkey_process.client.flushall()
    yield valkey_process.client
    if request.node.get_closest_marker("plants") is None and valkey_process.address.answers(1):
        assert breaches(valkey_process.client) == []


def breaches(client: redis.Redis) -> list[str]:
    """Return what the audit finds."""
    return [f"{name}: {breach.key} {breach.says}" for name, rule in RULES.items() for breach in rule(client)]


@pytest_asyncio.fixture
async def node(keys: redis.Redis, valkey_process: ValkeyProcess) -> AsyncIterator[Node]:
    """The node of this process, started on the Valkey of the test run. Each test has a new one."""
    here = nodes.use(Node(valkey_process.address))
    await here.start()
    yield here
    await here.stop()


@pytest.fixture
def tab(node: Node) -> MakeTab:
    """`async with tab("ana", room="attic") as ana`: a browser tab, connected to the application in this process."""

    def make(user: str = "ana", **options: object) -> Tab:
        return Tab(application, user, **options)  # type: ignore[arg-type] # Tab's own

    return make


@pytest.fixture
def server(tmp_path: Path, keys: redis.Redis, valkey_process: ValkeyProcess) -> MakeServer:
    """`with server() as one`: `manage.py serve` in a process of its own, on the Valkey of the test run."""

    def make(name: str = "server", **environment: str) -> ServerProcess:
        where = valkey_process.environment
        return ServerProcess(tmp_path / name, **(where | environment))

    return make


@pytest.fixture(scope="session")
def axe() -> Path:
    """The script of axe-core."""
    return AXE


@pytest.fixture(scope="session")
def nodejs() -> str:
    """Node.js."""
    return shutil.which("node") or "node"


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One Chromium for all; each test opens a context of its own."""
    async with running_chromium() as browser:
        yield browser
