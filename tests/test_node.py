"""The node of a process: its chores, what it does when an outage begins and ends, and how it stops."""

import asyncio

import pytest
import redis
from channels.layers import get_channel_layer

from aleatoria import node as nodes
from aleatoria.node import Node
from aleatoria.operators import stats
from aleatoria.operators.totals import Totals
from aleatoria.valkey.address import Address
from benchmarks.processes import free_port
from chat.services.memberships import Memberships
from matchmaking.callers import Callers
from tests.conftest import MakeTab
from tests.support.here import here, link
from tests.support.loop_clock import LoopClock, turns
from tests.support.processes import ValkeyProcess
from tests.support.tab import Denied, Tab
from tests.support.waiting import soon

STATUS = {"events": ["status"]}


def nowhere() -> Address:
    """Where no Valkey is."""
    return Address(host="127.0.0.1", port=free_port())


def messages(client: redis.Redis) -> int:
    """How many messages are in the totals of the last two hours."""
    return sum(hour.count("messages") for hour in stats.hours(client, 2))


class Work:
    """A chore that counts how often it is done."""

    def __init__(self) -> None:
        self.done = 0

    async def __call__(self) -> None:
        self.done += 1


# Chores


async def test_the_totals_are_flushed_every_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    flushed = Work()
    monkeypatch.setattr(Totals, "flush", lambda _: flushed())
    clock = LoopClock(monkeypatch)
    made = Node(nowhere())
    made.chores.start()
    await turns()
    for done in range(3):
        await clock.moves_on(4.8)
        assert flushed.done == done
        await clock.moves_on(0.3)
        assert flushed.done == done + 1
    await made.chores.stop()


@pytest.fixture
def flushed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that is made now flushes its totals often."""
    monkeypatch.setattr("aleatoria.node.FLUSH_EVERY", 0.02)


async def test_a_started_node_adds_what_it_counts_and_reports_without_being_asked(
    flushed_soon: None, tab: MakeTab, keys: redis.Redis
) -> None:
    async with tab("ana", room="attic") as ana:
        await soon(lambda: bool(stats.processes(keys)))
        before = messages(keys)
        await ana.says("hello")
        await ana.hears("chat_message")
        await soon(lambda: messages(keys) == before + 1)
        await soon(lambda: [process.sockets for process in stats.processes(keys)] == [1])


# The end of an outage


class WriteBacks:
    """What is written back after an outage; the test may hold it up."""

    def __init__(self) -> None:
        self.waiting: set[str] = set()
        self._go_on = {"chat": asyncio.Event(), "calls": asyncio.Event()}
        for event in self._go_on.values():
            event.set()

    def hold(self, part: str) -> None:
        """Let this part wait from now on."""
        self._go_on[part].clear()

    def let_go(self, part: str) -> None:
        """Let this part go on."""
        self._go_on[part].set()

    async def pass_on(self, part: str) -> None:
        """Return when this part is not held up."""
        self.waiting.add(part)
        await self._go_on[part].wait()
        self.waiting.discard(part)


@pytest.fixture
def write_backs(monkeypatch: pytest.MonkeyPatch) -> WriteBacks:
    """Those of a node that is made after this."""
    parts, memberships, calls = WriteBacks(), Memberships.write_back, Callers.write_back

    async def write_memberships(self: Memberships) -> None:
        await parts.pass_on("chat")
        await memberships(self)

    async def write_calls(self: Callers) -> None:
        await parts.pass_on("calls")
        await calls(self)

    monkeypatch.setattr(Memberships, "write_back", write_memberships)
    monkeypatch.setattr(Callers, "write_back", write_calls)
    return parts


@pytest.mark.parametrize("late", ["chat", "calls"])
async def test_nobody_is_told_that_an_outage_is_over_before_all_is_written_back(
    write_backs: WriteBacks, tab: MakeTab, late: str
) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.asks("hello", "welcome", payload=STATUS)
        write_backs.hold(late)
        link().health.down(OSError("gone"))
        assert (await ana.hears("server_status"))["payload"] == {"degraded": True}
        await soon(lambda: late in write_backs.waiting)
        await ana.hears_nothing()
        write_backs.let_go(late)
        assert (await ana.hears("server_status"))["payload"] == {"degraded": False, "gap": True}


# Starting and stopping


async def test_a_node_that_stops_adds_what_it_has_counted_last(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana", room="attic") as ana:
        await here().totals.flush()
        before = messages(keys)
        await ana.says("hello")
        await ana.hears("chat_message")
    await here().stop()
    assert messages(keys) == before + 1


async def test_a_node_that_has_stopped_does_nothing_and_can_be_started_again(
    keys: redis.Redis, valkey_process: ValkeyProcess
) -> None:
    def connections() -> int:
        return len(keys.client_list())

    before, work, made = connections(), Work(), Node(valkey_process.address)
    made.chores.every(0.01, work)
    for _ in range(2):
        await made.start()
        assert made.link.health.writable
        assert connections() > before
        done = work.done
        await soon(lambda done=done: work.done > done + 2)  # type: ignore[misc] # the default binds the number
        await made.stop()
        await soon(lambda: connections() == before)
        done = work.done
        await asyncio.sleep(0.05)
        assert work.done == done


def test_a_process_has_one_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "_current", None)
    made = nodes.current()
    assert nodes.current() is made
    assert nodes.channel_layer() is made.layer


def test_channels_sends_through_the_layer_of_the_node(node: Node) -> None:
    assert get_channel_layer() is node.layer
    other = nodes.use(Node(nowhere()))
    assert get_channel_layer() is other.layer


# Paths


@pytest.mark.parametrize(
    ("path", "chats", "calls"), [("/ws", True, True), ("/ws/chat", True, False), ("/ws/matchmaking", False, True)]
)
async def test_each_path_speaks_its_part_of_the_protocol(tab: MakeTab, path: str, *, chats: bool, calls: bool) -> None:
    async with tab("ana", path=path) as ana:
        assert await knows(ana, "get_rooms", "rooms_list") is chats
        assert await knows(ana, "request_random_peer", "no_peer_available") is calls


async def knows(tab: Tab, kind: str, answer: str) -> bool:
    """Whether a type of message is answered, and not refused as unknown."""
    await tab.sends(kind)
    frame = await tab.hears_frame()
    assert frame["type"] == answer or frame["payload"]["code"] == "unknown_type"
    return bool(frame["type"] == answer)


@pytest.mark.parametrize("path", ["/", "/wss", "/ws/", "/ws/chat/", "/ws/admin"])
async def test_any_other_path_is_refused_before_the_handshake(tab: MakeTab, path: str) -> None:
    with pytest.raises(Denied):
        async with tab("ana", path=path):
            pass
