"""Fixtures for tests of random calls: a second node, as of another process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from aleatoria.node import Node
from aleatoria.routing import SocketConsumer
from tests.conftest import MakeTab
from tests.support.processes import ValkeyProcess
from tests.support.tab import Tab

Channel = Callable[..., Awaitable[Any]]


@pytest_asyncio.fixture
async def there(node: Node, valkey_process: ValkeyProcess) -> AsyncIterator[Node]:
    """A second node on the same Valkey. It shares nothing else with the first one, as if it were another process."""
    other = Node(valkey_process.address)
    await other.start()
    yield other
    await other.stop()


@pytest.fixture
def tab_there(there: Node) -> MakeTab:
    """`async with tab_there("bob") as bob`: a browser tab, connected to the second node."""

    async def application(scope: dict[str, Any], receive: Channel, send: Channel) -> None:
        await SocketConsumer(host=there, people=there.people, callers=there.callers)(scope, receive, send)

    return lambda user, **options: Tab(application, user, **options)
