"""What a process believes of Valkey, and whom it tells of a change, and how often."""

import logging
import time

import pytest

from aleatoria.valkey.failover import Failover
from aleatoria.valkey.health import Health
from aleatoria.valkey.pipeline import Unavailable

LATE, FULL = TimeoutError("it is late"), OSError("it is full.")


class Told:
    """A health of its own, and what it has told."""

    def __init__(self) -> None:
        self.health = Health()
        self.told: list[str] = []
        self.health.on_lost.append(lambda: self.told.append("lost"))
        self.health.on_down.append(lambda: self.told.append("down"))
        self.health.on_back.append(self._back)

    async def _back(self) -> None:
        self.told.append("back")


@pytest.fixture
def one() -> Told:
    """One that knows nothing yet."""
    return Told()


async def test_a_start_is_told_but_is_no_recovery(one: Told, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await one.health.up()
    assert one.told == ["back"]
    assert one.health.back_at == 0
    assert caplog.messages == []


async def test_what_has_not_changed_is_not_told_again(one: Told, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        await one.health.up()
    for _ in range(3):
        one.health.down(LATE)
    assert one.told == ["back", "lost", "down"]
    assert caplog.messages == ["Valkey/Redis connection failed: it is late. Will operate with degraded functionality."]


async def test_an_outage_that_changes_its_kind_is_one_outage(one: Told) -> None:
    await one.health.up()
    one.health.read_only(FULL)
    one.health.since = began = time.time() - 100
    one.health.down(LATE)
    one.health.read_only(FULL)
    assert one.told == ["back", "lost", "down"]
    assert one.health.since == began
    await one.health.up()
    assert one.told == ["back", "lost", "down", "back"]


async def test_a_valkey_that_refuses_writes_is_not_down(one: Told) -> None:
    await one.health.up()
    one.health.read_only(FULL)
    assert one.told == ["back", "lost"]
    assert (one.health.writable, one.health.reachable, one.health.degraded) == (False, True, True)


async def test_one_that_is_away_at_the_start_is_an_outage(one: Told) -> None:
    one.health.since -= 100
    one.health.down(LATE)
    assert one.told == ["lost", "down"]
    assert time.time() - one.health.since < 50
    await one.health.up()
    assert time.time() - one.health.back_at < 50


async def test_since_when_it_is_so_begins_with_an_outage_and_with_its_end(one: Told) -> None:
    await one.health.up()
    one.health.since -= 100
    one.health.read_only(FULL)
    assert time.time() - one.health.since < 50
    one.health.since -= 100
    await one.health.up()
    assert time.time() - one.health.since < 50
    assert one.health.back_at == one.health.since


async def test_an_error_without_a_text_is_named_by_its_kind(one: Told, caplog: pytest.LogCaptureFixture) -> None:
    one.health.down(TimeoutError())
    assert caplog.messages[0].startswith("Valkey/Redis connection failed: TimeoutError. Will")


# Which twin of a store answers


async def asks(which: str) -> str:
    """What a store answers."""
    if which == "broken":
        raise Unavailable
    return which


async def test_valkey_is_asked_only_while_it_takes_writes(one: Told) -> None:
    store = Failover("valkey", "memory", one.health)
    assert await store.use(asks) == "memory"  # nothing is known yet
    await one.health.up()
    assert await store.use(asks) == "valkey"
    one.health.read_only(FULL)
    assert await store.use(asks) == "memory"
    one.health.down(LATE)
    assert await store.use(asks) == "memory"


async def test_memory_answers_when_valkey_cannot(one: Told) -> None:
    await one.health.up()
    assert await Failover("broken", "memory", one.health).use(asks) == "memory"
