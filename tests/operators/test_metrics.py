"""What Prometheus reads of a process: each number moves when what it counts happens, and not everybody may read it."""

import asyncio
import json
import re
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import redis
from channels.layers import get_channel_layer
from django.test import AsyncClient
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings
from redis.exceptions import ResponseError

from aleatoria import environment
from aleatoria.operators import operations
from aleatoria.telemetry import trace
from aleatoria.valkey.health import State
from aleatoria.valkey.link import valkey
from aleatoria.valkey.pipeline import Unavailable
from matchmaking import consumers
from tests.conftest import MakeServer, MakeTab
from tests.matchmaking.test_calls import ANSWER, CANDIDATE, OFFER, meet, signals
from tests.support.processes import ValkeyProcess
from tests.support.tab import Denied, Tab
from tests.support.wire import Wire
from tests.valkey.test_outage import until

PAGE = {"origin": "http://testserver", "host": "testserver"}
FAMILIES = {
    "aleatoria_calls": "gauge",
    "aleatoria_connections": "counter",
    "aleatoria_degraded": "gauge",
    "aleatoria_deliveries": "counter",
    "aleatoria_delivery_seconds": "histogram",
    "aleatoria_frames_received": "counter",
    "aleatoria_handler_failures": "counter",
    "aleatoria_hangups": "counter",
    "aleatoria_history_reads": "counter",
    "aleatoria_malformed_frames": "counter",
    "aleatoria_match_wait_seconds": "histogram",
    "aleatoria_matches": "counter",
    "aleatoria_messages": "counter",
    "aleatoria_messages_not_kept": "counter",
    "aleatoria_pipeline_batch_commands": "histogram",
    "aleatoria_pool_users": "gauge",
    "aleatoria_refusals": "counter",
    "aleatoria_rooms": "gauge",
    "aleatoria_signals": "counter",
    "aleatoria_sockets": "gauge",
    "aleatoria_sockets_cut": "counter",
    "aleatoria_users": "gauge",
    "aleatoria_valkey_errors": "counter",
    "aleatoria_valkey_outages": "counter",
    "aleatoria_valkey_round_trip_seconds": "histogram",
    "aleatoria_writes_dropped": "counter",
}
"""What there is, by the names without `_total`."""


class At(AsyncClient):
    """One at an address; None is behind a Unix socket."""

    def __init__(self, address: str | None = "127.0.0.1") -> None:
        super().__init__()
        self._address = address

    def _base_scope(self, **request: Any) -> dict[str, Any]:
        scope: dict[str, Any] = super()._base_scope(**request)  # type: ignore[misc] # the stubs leave it out
        return scope | {"client": self._address and [self._address, 50_000]}

    async def asks(self, **headers: str) -> Any:
        return await self.get("/metrics", headers={k.replace("_", "-"): headers[k] for k in headers})


def families(text: str) -> list[Metric]:
    """What Prometheus makes of it."""
    return list(text_string_to_metric_families(text))


def samples(text: str) -> dict[str, float]:
    """Each number by its name and, in braces, the values of its labels."""
    return {
        f"{sample.name}{{{','.join(sample.labels.values())}}}" if sample.labels else sample.name: sample.value
        for family in families(text)
        for sample in family.samples
    }


async def read() -> dict[str, float]:
    """The numbers as they are."""
    return samples((await At().asks()).content.decode())


class Growth:
    """What has changed since it was made."""

    def __init__(self, before: dict[str, float]) -> None:
        self._before = before

    async def of(self, *names: str) -> list[float]:
        now = await read()
        return [now[name] - self._before.get(name, 0) for name in names]


Watch = Callable[[], Any]


@pytest.fixture
def growth(tab: MakeTab) -> Watch:
    """`since = await growth()`, and later `await since.of("aleatoria_…")`."""

    async def watch() -> Growth:
        return Growth(await read())

    return watch


# What it looks like


async def test_prometheus_reads_all_of_it(tab: MakeTab) -> None:
    response = await At().asks()
    assert response.status_code == 200
    assert re.fullmatch(r"text/plain; version=[\d.]+; charset=utf-8", response["Content-Type"])
    found = {family.name: family.type for family in families(response.content.decode())}
    assert {name: kind for name, kind in found.items() if not name.startswith("process_")} == FAMILIES
    assert {"process_cpu_seconds", "process_resident_memory_bytes", "process_open_fds"} <= set(found)


async def test_names_are_as_prometheus_wants_them(tab: MakeTab) -> None:
    for family in families((await At().asks()).content.decode()):
        assert re.fullmatch(r"(aleatoria|process)(_[a-z0-9]+)+", family.name)
        assert family.documentation.endswith(".")
        assert not re.search(
            r"_(ms|milliseconds|micros\w*|minutes|hours|kb|kilobytes|mb|total|count|sum)$", family.name
        )
        for sample in family.samples:
            assert all(re.fullmatch(r"[a-z_]+", label) for label in sample.labels)
            if family.type == "counter":
                assert sample.name == f"{family.name}_total"


async def test_a_histogram_ends_with_all_there_is(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("hello")
        await ana.hears("chat_message")
    for family in families((await At().asks()).content.decode()):
        if family.type == "histogram":
            buckets = [sample.value for sample in family.samples if sample.name.endswith("_bucket")]
            assert buckets == sorted(buckets)
            assert [s.value for s in family.samples if s.name.endswith("_count")] == buckets[-1:]


async def test_what_clients_send_is_no_label(tab: MakeTab) -> None:
    async with tab("ana-the-label", room="room-the-label") as ana:
        for kind in ("type-the-label", "join_room", "chat_message", "webrtc_offer"):
            await ana.sends(kind, room="{}", toUser="user-the-label", messageId="id-the-label")
        await ana.heard()
    assert "the-label" not in (await At().asks()).content.decode()


async def test_a_valkey_that_hangs_holds_up_no_scrape(tab: MakeTab, mortal: ValkeyProcess) -> None:
    mortal.hang()
    try:
        assert (await asyncio.wait_for(At().asks(), 3)).status_code == 200
    finally:
        mortal.go_on()


# Sockets


async def test_sockets_are_counted_and_users_once_each(tab: MakeTab, growth: Watch) -> None:
    since = await growth()
    names = ("aleatoria_sockets", "aleatoria_users", "aleatoria_rooms", "aleatoria_connections_total{opened}")
    async with tab("ana", room="attic"):
        async with tab("ana", room="attic"), tab("bob", room="cellar"):
            assert await since.of(*names) == [3, 2, 2, 3]
        assert await since.of(*names) == [1, 1, 1, 3]
    assert await since.of(*names) == [0, 0, 0, 3]


async def test_rooms_are_counted_once_each_however_many_are_in_them(tab: MakeTab, growth: Watch) -> None:
    since = await growth()
    async with tab("ana", room="attic") as ana, tab("bob", room="attic"):
        assert await since.of("aleatoria_rooms") == [1]
        await ana.asks("join_room", "room_joined", room="cellar")
        assert await since.of("aleatoria_rooms") == [2]
        await ana.asks("leave_room", "room_left", room="attic")
        await ana.asks("leave_room", "room_left", room="cellar")
        assert await since.of("aleatoria_rooms") == [1]


async def test_a_page_of_elsewhere_is_counted_as_such(tab: MakeTab, growth: Watch) -> None:
    since = await growth()
    with pytest.raises(Denied):
        await tab("ana", headers=PAGE | {"origin": "http://eve.example.com"}).__aenter__()
    assert await since.of("aleatoria_connections_total{origin}", "aleatoria_connections_total{opened}") == [1, 0]


@pytest.mark.parametrize(("query", "outcome"), [("", "unidentified"), ("userId=a%00", "bad_request")])
async def test_one_who_is_refused_is_counted_by_why(tab: MakeTab, growth: Watch, query: str, outcome: str) -> None:
    since = await growth()
    async with tab("ana", query=query, headers=PAGE) as ana:
        await ana.hears_close()
    assert await since.of(f"aleatoria_connections_total{{{outcome}}}", "aleatoria_sockets") == [1, 0]


# Messages


async def test_a_message_to_a_room_is_one_and_each_socket_a_delivery(tab: MakeTab, growth: Watch) -> None:
    async with AsyncExitStack() as stack:
        five = [await stack.enter_async_context(tab(f"p{n}", room="attic")) for n in range(5)]
        for one in five:
            await one.hears_nothing()
        since = await growth()
        await five[0].says("hello")
        for one in five:
            await one.hears("chat_message")
        assert await since.of(
            "aleatoria_messages_total{room}",
            "aleatoria_messages_total{direct}",
            "aleatoria_frames_received_total",
            "aleatoria_deliveries_total",
            "aleatoria_delivery_seconds_count",
        ) == [1, 0, 1, 5, 1]
        (seconds,) = await since.of("aleatoria_delivery_seconds_sum")
        assert 0 < seconds < 1


async def test_a_direct_message_is_delivered_to_both(tab: MakeTab, growth: Watch) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        since = await growth()
        await ana.writes("bob", "psst")
        for one in (ana, bob):
            await one.hears("chat_message")
        names = ("aleatoria_messages_total{direct}", "aleatoria_messages_total{room}", "aleatoria_deliveries_total")
        assert await since.of(*names) == [1, 0, 2]


async def test_coming_and_going_is_no_delivery_that_took_long(tab: MakeTab, growth: Watch) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        since = await growth()
        async with tab("ana", room="attic"):
            pass
        await bob.closes()
        await ana.hears("hangup")
        assert await since.of("aleatoria_delivery_seconds_count", "aleatoria_delivery_seconds_sum") == [0, 0]


async def test_messages_to_those_who_are_not_here_leave_nothing_behind(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        for number in range(1000):
            await ana.writes("nobody", str(number))
        for _ in range(1000):
            await ana.hears("chat_message")
        assert len(get_channel_layer()._causes) == 0


async def test_nor_does_what_is_sent_to_nobody_at_all(tab: MakeTab) -> None:
    trace.current.set(trace.Trace())
    for number in range(1000):
        await get_channel_layer().group_send("user.nobody", {"type": "websocket.send", "text": str(number)})
    assert len(get_channel_layer()._causes) == 0


@pytest.mark.parametrize(
    ("outcome", "room"), [("found", "attic"), ("empty", "cellar")], ids=["something is there", "nothing is there"]
)
async def test_histories_are_counted_by_what_was_found(tab: MakeTab, growth: Watch, outcome: str, room: str) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.asks("join_room", "room_joined", room="cellar")
        await ana.says("hello", room="attic")
        await ana.hears("chat_message")
        since = await growth()
        await ana.asks("get_recent_messages", "recent_messages", room=room)
        assert await since.of(f"aleatoria_history_reads_total{{{outcome}}}") == [1]


# What is declined, and who is cut off


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        ("not_in_room", {"type": "chat_message", "room": "zoo", "payload": {"content": "hello"}}),
        ("invalid_field", {"type": "join_room", "room": "{}"}),
        ("unknown_type", {"type": "poison"}),
        ("forbidden", {"type": "assign_role"}),
        ("not_matched", {"type": "webrtc_offer", "toUser": "bob", "payload": OFFER}),
    ],
)
async def test_what_is_declined_is_counted_by_its_code(
    tab: MakeTab, growth: Watch, code: str, request_: dict[str, Any]
) -> None:
    async with tab("ana", room="attic") as ana:
        since = await growth()
        await ana.sends_text(json.dumps(request_))
        assert (await ana.hears("error"))["payload"]["code"] == code
        assert await since.of(f"aleatoria_refusals_total{{{code}}}") == [1]


async def test_what_is_too_fast_is_counted(tab: MakeTab, growth: Watch, settings: Settings) -> None:
    async with tab("ana", room="attic") as ana:
        since = await growth()
        settings.RATE_LIMITS = True
        for _ in range(30):
            await ana.sends("get_rooms")
        kinds = [(await ana.hears_frame())["type"] for _ in range(30)]
        refused = kinds.count("error")
        assert refused > 0
        assert await since.of("aleatoria_refusals_total{rate_limited}") == [refused]


async def test_a_flood_is_counted_as_one_that_was_cut_off(tab: MakeTab, growth: Watch, settings: Settings) -> None:
    async with tab("ana", room="attic") as ana:
        since = await growth()
        settings.RATE_LIMITS = True
        for _ in range(1000):
            await ana.sends("get_rooms")
        assert await ana.hears_close() == 4429
        assert await since.of("aleatoria_sockets_cut_total{flooding}", "aleatoria_sockets") == [1, -1]


async def test_malformed_frames_are_counted_and_so_is_the_one_whom_they_cut_off(tab: MakeTab, growth: Watch) -> None:
    async with tab("ana") as ana:
        since = await growth()
        for _ in range(20):
            await ana.sends_text("poison")
        assert await ana.hears_close() == 4400
        assert await since.of("aleatoria_malformed_frames_total", "aleatoria_sockets_cut_total{malformed}") == [20, 1]


async def test_a_handler_that_fails_is_counted(tab: MakeTab, growth: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr("chat.payloads.rooms_list", fail)
    async with tab("ana", room="attic") as ana:
        since = await growth()
        await ana.asks("get_rooms", "error")
        assert await since.of("aleatoria_handler_failures_total", "aleatoria_malformed_frames_total") == [1, 0]


async def test_a_real_server_counts_one_who_does_not_read(server: MakeServer) -> None:
    pad = json.dumps({"type": "chat_message", "room": "slow", "payload": {"content": "big", "pad": "x" * 65_000}})
    with server() as one:
        async with Wire(one.url, "ana", room="slow") as ana, Wire(one.url, "sloth", room="slow") as sloth:
            sloth.connection.transport.pause_reading()
            for _ in range(200):
                await ana.sends_text(pad)
                await ana.hears("chat_message")
            numbers = samples(await asyncio.to_thread(fetch, f"{one.url}/metrics"))
            assert numbers["aleatoria_sockets_cut_total{slow_reader}"] == 1
            assert numbers["aleatoria_messages_total{room}"] == 200
            sloth.drops()


async def test_a_real_server_counts_one_who_is_banned_once_a_socket(server: MakeServer, keys: redis.Redis) -> None:
    with server() as one:
        async with Wire(one.url, "ana") as here, Wire(one.url, "ana") as there:
            operations.close_sockets(keys, "ana")
            assert [await here.hears_close(), await there.hears_close()] == [4403, 4403]
        numbers = samples(await asyncio.to_thread(fetch, f"{one.url}/metrics"))
        assert numbers["aleatoria_sockets_cut_total{banned}"] == 2


async def test_a_real_server_tells_nobody_through_a_proxy(server: MakeServer) -> None:
    with server() as one, pytest.raises(urllib.error.HTTPError, match="403"):
        await asyncio.to_thread(fetch, f"{one.url}/metrics", "203.0.113.7")


def fetch(url: str, forwarded_for: str = "") -> str:
    headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as response:
        return str(response.read().decode())


# Calls


async def test_those_who_wait_and_those_who_call_are_counted(tab: MakeTab, growth: Watch) -> None:
    names = ("aleatoria_pool_users", "aleatoria_calls", "aleatoria_matches_total", "aleatoria_match_wait_seconds_count")
    async with tab("ana") as ana, tab("bob") as bob, tab("cleo") as cleo:
        since = await growth()
        await cleo.asks("request_random_peer", "no_peer_available")
        assert await since.of(*names) == [1, 0, 0, 0]
        await cleo.sends("user_unavailable_webrtc")
        await cleo.hears_nothing()
        await meet(ana, bob)
        assert await since.of(*names) == [0, 1, 1, 1]
        (waited,) = await since.of("aleatoria_match_wait_seconds_sum")
        assert 0 < waited < 5


async def test_what_the_two_of_a_call_signal_is_counted(tab: MakeTab, growth: Watch) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        since = await growth()
        await signals(ana, bob, "webrtc_offer", OFFER)
        await signals(bob, ana, "webrtc_answer", ANSWER)
        await signals(ana, bob, "webrtc_candidate", CANDIDATE)
        assert await since.of("aleatoria_signals_total") == [3]


async def hangs_up(ana: Tab, bob: Tab) -> None:
    await bob.sends("hangup", toUser="ana")


async def skips(ana: Tab, bob: Tab) -> None:
    await bob.asks("request_random_peer", "no_peer_available", payload={"currentPeerId": "ana"})


async def goes(ana: Tab, bob: Tab) -> None:
    await bob.closes()


@pytest.mark.parametrize(
    ("reason", "end"), [("hangup", hangs_up), ("skipped", skips), ("disconnected", goes)], ids=lambda it: str(it)[:12]
)
async def test_the_end_of_a_call_is_counted_by_its_reason(
    tab: MakeTab, growth: Watch, reason: str, end: Callable[[Tab, Tab], Any]
) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        since = await growth()
        await end(ana, bob)
        await ana.hears("hangup")
        assert await since.of(f"aleatoria_hangups_total{{{reason}}}", "aleatoria_calls") == [1, -1]


async def test_one_who_does_not_come_back_is_counted_as_a_timeout(
    tab: MakeTab, growth: Watch, keys: redis.Redis
) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        since = await growth()
        await bob.closes(1006)
        keys.zadd("{available:webrtc}:leases", {"bob": 1})
        valkey.health.since -= 60  # no outage has just ended
        await consumers._sweep()
        await ana.hears("hangup")
        # The one who is gone is told too, wherever he may be.
        (told,) = await since.of("aleatoria_hangups_total{timeout}")
        assert told in (1, 2)


# Valkey


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ValkeyProcess]:
    """A Valkey that the test may do anything to."""
    with ValkeyProcess(tmp_path) as process:
        yield process


@pytest.fixture
def valkey_process(mortal: ValkeyProcess) -> ValkeyProcess:
    """The one that `tab` is connected to."""
    return mortal


async def test_what_goes_to_valkey_is_counted_by_the_flight(tab: MakeTab, growth: Watch) -> None:
    since = await growth()
    await asyncio.gather(*(valkey.execute("PING") for _ in range(30)))
    flights, commands, trips, seconds, larger = await since.of(
        "aleatoria_pipeline_batch_commands_count",
        "aleatoria_pipeline_batch_commands_sum",
        "aleatoria_valkey_round_trip_seconds_count",
        "aleatoria_valkey_round_trip_seconds_sum",
        "aleatoria_pipeline_batch_commands_bucket{+Inf}",
    )
    assert flights == trips == larger
    assert flights >= 1
    assert commands >= 30
    assert 0 < seconds < 5
    one, twenty, fifty = await since.of(*(f"aleatoria_pipeline_batch_commands_bucket{{{n}}}" for n in (1, 20, 50)))
    assert one <= twenty < fifty


async def test_an_outage_shows_while_it_lasts_and_is_counted_once(
    tab: MakeTab, growth: Watch, mortal: ValkeyProcess
) -> None:
    names = ("aleatoria_degraded", "aleatoria_valkey_outages_total")
    async with tab("ana", room="attic") as ana:
        since = await growth()
        mortal.kill()
        await until(State.DOWN, 2)
        for number in range(5):
            await ana.says(str(number))
            await ana.hears("chat_message")
        assert (await ana.asks("get_recent_messages", "recent_messages", room="attic"))["degraded"]
        assert await since.of(*names, "aleatoria_history_reads_total{degraded}") == [1, 1, 1]
        assert await since.of("aleatoria_messages_not_kept_total") == [5]
        assert await since.of("aleatoria_deliveries_total", "aleatoria_delivery_seconds_count") == [5, 5]
        (errors,) = await since.of("aleatoria_valkey_errors_total{connection}")
        assert errors >= 1
        mortal.start()
        await until(State.UP, 3)
        assert await since.of(*names) == [0, 1]


async def test_a_write_that_nobody_waits_for_is_counted_as_dropped(
    tab: MakeTab, growth: Watch, mortal: ValkeyProcess
) -> None:
    since = await growth()
    mortal.kill()
    await until(State.DOWN, 2)
    valkey.post("SET", "key", "text")
    (dropped,) = await since.of("aleatoria_writes_dropped_total")
    assert dropped >= 1


async def test_an_outage_leaves_nothing_of_what_was_flying(tab: MakeTab, mortal: ValkeyProcess) -> None:
    async with tab("ana", room="attic") as ana:
        mortal.hang()
        for number in range(100):
            await ana.says(str(number))
        for _ in range(100):
            await ana.hears("chat_message")
        assert len(get_channel_layer()._causes) == 0
        mortal.go_on()


@pytest_asyncio.fixture
async def up(tab: MakeTab) -> AsyncIterator[None]:
    """Valkey is there."""
    assert valkey.health.state is State.UP
    yield


async def test_a_command_that_is_wrong_is_counted(up: None, growth: Watch) -> None:
    since = await growth()
    with pytest.raises(ResponseError):
        await valkey.execute("POISON")
    assert await since.of("aleatoria_valkey_errors_total{command}") == [1]


async def test_a_write_that_is_refused_for_now_is_counted(up: None, growth: Watch, mortal: ValkeyProcess) -> None:
    since = await growth()
    mortal.client.config_set("maxmemory", "1")
    with pytest.raises(Unavailable):
        await valkey.execute("SET", "key", "text")
    refused, degraded, outages = await since.of(
        "aleatoria_valkey_errors_total{refused}", "aleatoria_degraded", "aleatoria_valkey_outages_total"
    )
    assert refused >= 1
    assert (degraded, outages) == (1, 1)


async def test_a_connection_that_fails_is_counted(up: None, growth: Watch, mortal: ValkeyProcess) -> None:
    since = await growth()
    mortal.client.client_kill_filter(_id=await valkey.execute("CLIENT", "ID"))
    with pytest.raises(Unavailable):
        await valkey.execute("PING")
    assert await since.of("aleatoria_valkey_errors_total{connection}") == [1]


# Who may read it


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
async def test_this_machine_may_read_it(tab: MakeTab, address: str) -> None:
    assert (await At(address).asks()).status_code == 200


@pytest.mark.parametrize(
    "address",
    ["10.0.0.7", "203.0.113.7", "128.0.0.1", "0.0.0.0", "::", "::ffff:203.0.113.7", "fe80::1%eth0", "2001:db8::1"],
)
async def test_nobody_else_may(tab: MakeTab, address: str) -> None:
    response = await At(address).asks()
    assert response.status_code == 403
    assert json.loads(response.content)["code"] == "forbidden"
    assert b"aleatoria_" not in response.content


@pytest.mark.parametrize("address", ["", "/run/aleatoria.sock", "localhost", "127.0.0.1.example.com"])
async def test_what_is_no_address_is_not_this_machine(tab: MakeTab, address: str) -> None:
    assert (await At(address).asks()).status_code == 403


async def test_nor_is_one_without_any_address(tab: MakeTab) -> None:
    assert (await At(None).asks()).status_code == 403


@pytest.mark.parametrize("header", ["x_forwarded_for", "forwarded", "x_real_ip"])
@pytest.mark.parametrize("value", ["127.0.0.1", "for=127.0.0.1", "10.0.0.7", ""])
async def test_nobody_may_through_a_proxy(tab: MakeTab, header: str, value: str) -> None:
    assert (await At().asks(**{header: value})).status_code == 403


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("10.1.2.3", 200),
        ("::ffff:10.1.2.3", 200),
        ("2001:db8::7", 200),
        ("192.0.2.1", 200),
        ("192.0.2.2", 403),
        ("11.0.0.1", 403),
        ("2001:db9::7", 403),
        ("127.0.0.1", 403),
    ],
)
async def test_those_of_the_networks_that_are_named_may(
    tab: MakeTab, settings: Settings, address: str, status: int
) -> None:
    settings.METRICS_ALLOWED_IPS = environment.networks("10.0.0.0/8, 2001:db8::/32, 192.0.2.1")
    assert (await At(address).asks()).status_code == status
    assert (await At(address).asks(x_forwarded_for="10.0.0.1")).status_code == 403


async def test_it_is_only_read(tab: MakeTab) -> None:
    assert (await At().post("/metrics")).status_code == 405
