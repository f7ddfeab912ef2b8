"""The pipeline's bounds, and whose fault an error is: Valkey's state, the connection or the command."""

import asyncio
import logging

import pytest
import redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from aleatoria.valkey import pipeline
from aleatoria.valkey.pipeline import Unavailable
from tests.support.piped import Piped, piped

__all__ = ["piped"]  # a fixture


async def test_a_flight_is_a_thousand_commands_at_most(piped: Piped) -> None:
    await asyncio.gather(*(piped.execute("PING") for _ in range(1000)))
    assert piped.flights == 1
    await asyncio.gather(*(piped.execute("PING") for _ in range(1001)))
    assert piped.flights == 3


async def test_a_flight_that_was_answered_is_late_no_more(piped: Piped, monkeypatch: pytest.MonkeyPatch) -> None:
    for deadline in ("FLIGHT_DEADLINE", "GRACE"):
        monkeypatch.setattr(pipeline, deadline, 0.05)
    await piped.execute("PING")
    await asyncio.sleep(0.2)  # past both
    assert piped.broken == []


async def test_the_grace_is_short(piped: Piped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "FLIGHT_DEADLINE", 0.05)
    with pytest.raises(Unavailable):
        await asyncio.wait_for(piped.execute("BLPOP", "nothing", 0), 0.8)


async def test_one_who_no_longer_waits_strands_nobody_when_the_connection_ends(piped: Piped) -> None:
    flying = [piped.execute("BLPOP", "nothing", 0), piped.execute("PING")]
    while not piped.flights:
        await asyncio.sleep(0)
    waiting = [piped.execute("PING"), piped.execute("PING")]
    for impatient in (flying[0], waiting[0]):
        impatient.cancel()
    piped.pipeline.close()
    for patient in (flying[1], waiting[1]):
        with pytest.raises(Unavailable):
            await patient


async def test_what_is_posted_when_the_connection_ends_is_counted_as_dropped(piped: Piped) -> None:
    before = pipeline._DROPPED.count
    piped.post("BLPOP", "nothing", 0)
    while not piped.flights:
        await asyncio.sleep(0)
    piped.post("PING")
    piped.pipeline.close()
    assert pipeline._DROPPED.count - before == 2
    piped.post("PING")
    assert pipeline._DROPPED.count - before == 3
    with pytest.raises(Unavailable):
        await piped.execute("PING")
    assert pipeline._DROPPED.count - before == 3


def answer_with(code: str) -> tuple[str, str, int]:
    """A command that Valkey answers with this error."""
    return "EVAL", f"return redis.error_reply('{code} says Valkey')", 0


STATES = ["BUSY", "CLUSTERDOWN", "MASTERDOWN", "MISCONF", "NOPERM", "NOREPLICAS", "OOM", "READONLY"]


@pytest.mark.parametrize("code", STATES)
async def test_an_error_about_valkeys_state_is_no_fault_of_the_command(piped: Piped, code: str) -> None:
    with pytest.raises(Unavailable):
        await piped.execute(*answer_with(code))
    (error,) = piped.refused
    assert "says Valkey" in str(error)
    assert piped.broken == []


@pytest.mark.parametrize("code", ["ERR", "WRONGTYPE", "NOSCRIPT", "BUSYKEY"])
async def test_any_other_error_is_one_of_the_command(piped: Piped, code: str) -> None:
    with pytest.raises(ResponseError, match="says Valkey"):
        await piped.execute(*answer_with(code))
    assert (piped.refused, piped.broken) == ([], [])


async def test_a_valkey_that_loads_its_data_again_is_away(piped: Piped) -> None:
    with pytest.raises(Unavailable):
        await piped.execute(*answer_with("LOADING"))
    (error,) = piped.broken
    assert isinstance(error, RedisConnectionError)


async def test_a_write_that_wants_replicas_is_refused_for_now(piped: Piped, keys: redis.Redis) -> None:
    keys.config_set("min-replicas-to-write", 1)
    try:
        with pytest.raises(Unavailable):
            await piped.execute("SET", "key", "text")
    finally:
        keys.config_set("min-replicas-to-write", 0)
    assert len(piped.refused) == 1


async def test_what_people_wrote_is_not_in_the_error_of_a_command(
    piped: Piped, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        piped.post("POISON", "what somebody wrote")
        await piped.execute("PING")
    (record,) = caplog.records
    assert "unknown command" in record.getMessage()
    assert "somebody" not in record.getMessage()
