"""The metrics of commands to Valkey and of outages."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.exceptions import ResponseError

from aleatoria.valkey.health import State
from aleatoria.valkey.pipeline import Unavailable
from tests.conftest import MakeTab
from tests.support.here import here, link
from tests.support.metrics import At, Watch
from tests.support.processes import ValkeyProcess
from tests.support.waiting import until


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ValkeyProcess]:
    """A Valkey that the test may kill or hang."""
    with ValkeyProcess(tmp_path) as process:
        yield process


@pytest.fixture
def valkey_process(mortal: ValkeyProcess) -> ValkeyProcess:
    """The Valkey that `tab` is connected to."""
    return mortal


async def test_a_valkey_that_hangs_holds_up_no_scrape(tab: MakeTab, mortal: ValkeyProcess) -> None:
    mortal.hang()
    try:
        assert (await asyncio.wait_for(At().asks(), 3)).status_code == 200
    finally:
        mortal.go_on()


async def test_what_goes_to_valkey_is_counted_by_the_flight(tab: MakeTab, growth: Watch) -> None:
    since = await growth()
    await asyncio.gather(*(link().execute("PING") for _ in range(30)))
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
    link().post("SET", "key", "text")
    (dropped,) = await since.of("aleatoria_writes_dropped_total")
    assert dropped >= 1


async def test_an_outage_leaves_nothing_of_what_was_flying(tab: MakeTab, mortal: ValkeyProcess) -> None:
    async with tab("ana", room="attic") as ana:
        mortal.hang()
        for number in range(100):
            await ana.says(str(number))
        for _ in range(100):
            await ana.hears("chat_message")
        assert len(here().layer._publishes._causes) == 0
        mortal.go_on()


@pytest_asyncio.fixture
async def up(tab: MakeTab) -> AsyncIterator[None]:
    """Valkey is up."""
    assert link().health.state is State.UP
    yield


async def test_a_command_that_is_wrong_is_counted(up: None, growth: Watch) -> None:
    since = await growth()
    with pytest.raises(ResponseError):
        await link().execute("POISON")
    assert await since.of("aleatoria_valkey_errors_total{command}") == [1]


async def test_a_write_that_is_refused_for_now_is_counted(up: None, growth: Watch, mortal: ValkeyProcess) -> None:
    since = await growth()
    mortal.client.config_set("maxmemory", "1")
    with pytest.raises(Unavailable):
        await link().execute("SET", "key", "text")
    refused, degraded, outages = await since.of(
        "aleatoria_valkey_errors_total{refused}", "aleatoria_degraded", "aleatoria_valkey_outages_total"
    )
    assert refused >= 1
    assert (degraded, outages) == (1, 1)


async def test_a_connection_that_fails_is_counted(up: None, growth: Watch, mortal: ValkeyProcess) -> None:
    since = await growth()
    mortal.client.client_kill_filter(_id=await link().execute("CLIENT", "ID"))
    with pytest.raises(Unavailable):
        await link().execute("PING")
    assert await since.of("aleatoria_valkey_errors_total{connection}") == [1]
