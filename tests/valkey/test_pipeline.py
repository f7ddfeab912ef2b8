"""The pipeline against a real Valkey: one order, few flights, and errors that reach only the caller they concern."""

import asyncio
import logging
import time
from pathlib import Path

import pytest
import redis
from redis.exceptions import ResponseError

from aleatoria.valkey import pipeline
from aleatoria.valkey.pipeline import FLIGHT_SIZE, Unavailable
from aleatoria.valkey.script import Script
from tests.support.piped import Piped, piped

__all__ = ["piped"]  # a fixture


@pytest.fixture
def say_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """A script that no other test knows, and that is not loaded."""
    monkeypatch.setattr(Script, "all", [])
    path = tmp_path / "say_twice.lua"
    path.write_text('for _ = 1, 2 do redis.call("RPUSH", KEYS[1], ARGV[1]) end return redis.call("LLEN", KEYS[1])')
    return Script(path)


async def test_each_caller_gets_their_own_answer(piped: Piped) -> None:
    echoes = await asyncio.gather(*(piped.execute("ECHO", str(number)) for number in range(500)))
    assert echoes == [str(number).encode() for number in range(500)]


async def test_commands_are_run_in_the_order_in_which_they_were_given(piped: Piped, keys: redis.Redis) -> None:
    answers = []
    for number in range(300):
        if number % 3:
            piped.post("RPUSH", "order", number)
        else:
            answers.append(piped.execute("RPUSH", "order", number))
    assert await asyncio.gather(*answers) == list(range(1, 301, 3))
    await piped.execute("PING")
    assert keys.lrange("order", 0, -1) == [str(number).encode() for number in range(300)]


async def test_what_is_given_while_others_fly_comes_after_them(piped: Piped, keys: redis.Redis) -> None:
    async def push(name: str) -> None:
        for number in range(50):
            await piped.execute("RPUSH", "order", f"{name}{number}")

    await asyncio.gather(*(push(name) for name in "abcd"))
    order: list[bytes] = keys.lrange("order", 0, -1)  # type: ignore[assignment] # redis-py's are for async clients too
    for name in b"abcd":
        assert [entry for entry in order if entry[0] == name] == [b"%c%d" % (name, number) for number in range(50)]


async def test_many_at_once_share_few_flights(piped: Piped) -> None:
    await asyncio.gather(*(piped.execute("INCR", "count") for _ in range(FLIGHT_SIZE)))
    assert piped.flights == 1


async def test_a_flight_is_bounded_and_the_rest_takes_the_next(piped: Piped) -> None:
    counts = await asyncio.gather(*(piped.execute("INCR", "count") for _ in range(2 * FLIGHT_SIZE + 1)))
    assert counts == list(range(1, 2 * FLIGHT_SIZE + 2))
    assert piped.flights == 3


async def test_those_who_come_during_a_flight_share_the_next(piped: Piped) -> None:
    first = piped.execute("PING")
    await asyncio.sleep(0)  # the flight departs
    rest = [piped.execute("PING") for _ in range(100)]
    await asyncio.gather(first, *rest)
    assert piped.flights == 2


async def test_a_wrong_command_fails_only_for_its_caller(piped: Piped) -> None:
    keep, wrong, read = (
        piped.execute("SET", "text", "kept"),
        piped.execute("LPUSH", "text", "x"),
        piped.execute("GET", "text"),
    )
    answers = await asyncio.gather(keep, wrong, read, return_exceptions=True)
    assert (answers[0], answers[2]) == (b"OK", b"kept")
    assert isinstance(answers[1], ResponseError)
    assert str(answers[1]).startswith("WRONGTYPE")
    assert (piped.broken, piped.refused) == ([], [])
    assert await piped.execute("PING") == b"PONG"


async def test_a_wrong_command_that_nobody_waits_for_is_logged(piped: Piped, caplog: pytest.LogCaptureFixture) -> None:
    piped.post("SET", "text", "kept")
    with caplog.at_level(logging.ERROR):
        piped.post("LPUSH", "text", "secret")
        await piped.execute("PING")
    (record,) = caplog.records
    assert record.getMessage().startswith("Valkey/Redis refused LPUSH: WRONGTYPE")
    assert "secret" not in record.getMessage()


async def test_a_write_that_valkey_refuses_is_unavailable_and_reported_and_reads_go_on(
    piped: Piped, keys: redis.Redis
) -> None:
    await piped.execute("SET", "text", "kept")
    keys.config_set("maxmemory", "1")
    try:
        write, read = piped.execute("SET", "text", "lost"), piped.execute("GET", "text")
        with pytest.raises(Unavailable):
            await write
        assert await read == b"kept"
    finally:
        keys.config_set("maxmemory", "0")
    assert len(piped.refused) == 1
    assert piped.broken == []


async def test_a_script_is_said_in_full_once_when_valkey_has_forgotten_it(
    piped: Piped, keys: redis.Redis, say_twice: Script
) -> None:
    await piped.execute("SCRIPT", "LOAD", say_twice.text)
    assert await piped.pipeline.execute(say_twice.call(["said"], "a")) == 2
    keys.script_flush()
    assert await piped.pipeline.execute(say_twice.call(["said"], "b")) == 4
    assert keys.script_exists(say_twice.sha) == [True]
    assert keys.lrange("said", 0, -1) == [b"a", b"a", b"b", b"b"]


async def test_a_forgotten_script_that_nobody_waits_for_is_run_too(
    piped: Piped, keys: redis.Redis, say_twice: Script, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a", "b"):
        piped.pipeline.post(say_twice.call(["said"], name))
    for _ in range(2):  # they are run again after what was given first
        await piped.execute("PING")
    assert keys.lrange("said", 0, -1) == [b"a", b"a", b"b", b"b"]
    assert caplog.records == []


async def test_a_caller_that_no_longer_waits_puts_no_other_out_of_step(piped: Piped, keys: redis.Redis) -> None:
    impatient = piped.execute("INCR", "count")
    patient = piped.execute("ECHO", "mine")
    impatient.cancel()
    assert await patient == b"mine"
    assert keys.get("count") == b"1"


async def test_a_connection_that_dies_fails_all_who_wait_and_is_reported_once(piped: Piped, keys: redis.Redis) -> None:
    number = await piped.execute("CLIENT", "ID")
    flying = [piped.execute("BLPOP", "nothing", 0), piped.execute("PING")]
    while piped.flights < 2:
        await asyncio.sleep(0)
    waiting = [piped.execute("PING") for _ in range(3)]
    keys.client_kill_filter(_id=number)
    answers = await asyncio.gather(*flying, *waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 5
    assert len(piped.broken) == 1
    assert piped.refused == []


async def test_a_broken_pipeline_stays_so_and_keeps_nobody_waiting(piped: Piped, keys: redis.Redis) -> None:
    keys.client_kill_filter(_id=await piped.execute("CLIENT", "ID"))
    with pytest.raises(Unavailable):
        await piped.execute("PING")
    late = piped.execute("PING")
    assert late.done()
    assert isinstance(late.exception(), Unavailable)
    piped.post("SET", "text", "dropped")
    assert keys.get("text") is None
    assert len(piped.broken) == 1


async def test_the_news_comes_before_the_callers_learn_of_it(piped: Piped, keys: redis.Redis) -> None:
    known: list[bool] = []
    keys.client_kill_filter(_id=await piped.execute("CLIENT", "ID"))
    doomed = piped.execute("PING")
    doomed.add_done_callback(lambda answer: known.append(bool(piped.broken) and answer.exception() is not None))
    await asyncio.wait([doomed])
    assert known == [True]


async def test_closing_fails_all_who_wait_without_news(piped: Piped) -> None:
    flying = piped.execute("BLPOP", "nothing", 0)
    while not piped.flights:
        await asyncio.sleep(0)
    waiting = piped.execute("PING")
    piped.pipeline.close()
    answers = await asyncio.gather(flying, waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 2
    assert piped.broken == []


async def test_a_valkey_that_hangs_is_given_up_in_about_a_second(piped: Piped, keys: redis.Redis) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(Unavailable):
        await piped.execute("BLPOP", "nothing", 0)
    assert 0.9 < loop.time() - began < 2
    (error,) = piped.broken
    assert isinstance(error, TimeoutError)


async def test_a_process_that_was_busy_reads_the_answer_before_it_gives_valkey_up(
    piped: Piped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "FLIGHT_DEADLINE", 0.1)
    answer = piped.execute("PING")
    await asyncio.sleep(0)  # the flight departs
    time.sleep(0.2)  # the event loop stands still past the deadline
    assert await answer == b"PONG"
    assert piped.broken == []


async def test_no_more_than_a_hundred_thousand_commands_wait(piped: Piped) -> None:
    answer = piped.execute("PING")
    for _ in range(99_999):
        piped.post("PING")
    assert piped.broken == []
    piped.post("PING")
    (error,) = piped.broken
    assert "too many commands" in str(error)
    with pytest.raises(Unavailable):
        await answer
