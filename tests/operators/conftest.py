"""Fixtures for tests of what operators use: the admin, the commands, the metrics and the log."""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
import redis
from django.contrib.auth.models import Permission, User
from django.test import Client
from playwright.async_api import Browser, Page

from aleatoria import node as nodes
from aleatoria.node import Node
from aleatoria.valkey.address import Address
from benchmarks.processes import free_port
from tests.conftest import MakeServer, MakeTab
from tests.support.admin_browser import LOOKS, Running, looking
from tests.support.admin_server import Prepared, prepare
from tests.support.audit_cases import CALLERS, CALLS, HOUR, LEASES, WAITING, leases
from tests.support.commands import Manage
from tests.support.histories import ANA_AND_BOB, ATTIC, moment
from tests.support.metrics import Growth, Watch, read
from tests.support.processes import ValkeyProcess
from tests.support.wire import Wire

MakeStaff = Callable[..., Client]
MakeWire = Callable[..., Wire]


@pytest.fixture
def staff(db: None, keys: redis.Redis, valkey_process: ValkeyProcess) -> MakeStaff:
    """`staff("view_room")`: a client of this process, logged in as a user with just this permission."""
    nodes.use(Node(valkey_process.address))

    def make(*permissions: str, is_staff: bool = True, is_superuser: bool = False) -> Client:
        user = User.objects.create_user("olga", is_staff=is_staff, is_superuser=is_superuser)
        found = Permission.objects.filter(codename__in=permissions)
        assert len(found) == len(permissions)
        user.user_permissions.set(found)
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def admin(staff: MakeStaff) -> Client:
    """A client of this process, logged in as a superuser."""
    return staff(is_superuser=True)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """One database for all servers of a module."""
    return prepare(tmp_path_factory.mktemp("admin"))


@pytest.fixture
def manage(keys: redis.Redis, valkey_process: ValkeyProcess, tmp_path: Path) -> Manage:
    """Runs commands on the Valkey of the test run."""
    return Manage(valkey_process.address, tmp_path)


@pytest.fixture
def growth(tab: MakeTab) -> Watch:
    """`since = await growth()`, and later `await since.of("aleatoria_…")`."""

    async def watch() -> Growth:
        return Growth(await read())

    return watch


@pytest.fixture
def rooms_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `get_rooms` fail, so that the server logs an error about the user."""

    def fail(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr("chat.payloads.rooms_list", fail)


@pytest.fixture
def world(keys: redis.Redis) -> redis.Redis:
    """A Valkey without breaches: ana and bob in the attic, cat in a call with dan, eve waiting."""
    for user in ("ana", "bob"):
        keys.sadd("room:members:attic", user)
        keys.sadd(f"user:rooms:{user}", "attic")
        keys.expire(f"user:rooms:{user}", HOUR)
    keys.expire("room:members:attic", HOUR)
    for history in (ATTIC, ANA_AND_BOB):
        history.plant(keys, *(history.line(f"message {number}", moment(number)) for number in range(5)))
    keys.sadd(WAITING, "eve")
    keys.hset(CALLS, mapping={"cat": "dan", "dan": "cat"})
    keys.sadd(CALLERS, "cat")
    for user in ("cat", "dan", "eve"):
        leases(keys, user)
    for key in (WAITING, LEASES, CALLS, CALLERS):
        keys.expire(key, HOUR)
    return keys


@pytest.fixture
def wire(server: MakeServer) -> Iterator[MakeWire]:
    """`async with wire("ana", room="attic") as ana`: a tab, connected to a server in a process of its own."""
    with server() as one:
        yield partial(Wire, one.url)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, valkey_process: ValkeyProcess) -> Iterator[Running]:
    """Two servers for all tests of a module."""
    prepared = prepare(tmp_path_factory.mktemp("admin"))
    nowhere = Address(host="127.0.0.1", port=free_port())
    with prepared.server("one", valkey_process.address) as one, prepared.server("two", nowhere) as two:
        yield Running(one, two, prepared)


@pytest_asyncio.fixture
async def page(chromium: Browser, running: Running, keys: redis.Redis) -> AsyncIterator[Page]:
    """A window on a desk in light colors."""
    async with looking(chromium, running, LOOKS["desk by day"]) as one:
        yield one
