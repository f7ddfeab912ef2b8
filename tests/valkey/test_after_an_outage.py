"""Just after an outage nobody is taken for gone: the other processes have not said yet who is there."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

import matchmaking.install
from aleatoria.valkey.health import State
from chat.services import sweep
from chat.services.presence import Presences
from matchmaking.services import CallServices
from tests.conftest import MakeTab
from tests.support.audit_cases import LEASES
from tests.support.calls import meet
from tests.support.here import link
from tests.support.outages import mortal, valkey_process
from tests.support.processes import ValkeyProcess
from tests.support.waiting import until

__all__ = ["mortal", "valkey_process"]  # fixtures
SOON = 0.02
PATIENCE = 5.0
LONG_AGO = 1


class Counted:
    """How often a chore has done its work."""

    def __init__(self) -> None:
        self.count = 0

    def of(self, work: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        """The same work, counted."""

        async def counted(*args: object, **named: object) -> object:
            result = await work(*args, **named)
            self.count += 1
            return result

        return counted

    async def again(self) -> None:
        """Return when it has been done three more times."""
        deadline, enough = time.monotonic() + PATIENCE, self.count + 3
        while self.count < enough:
            assert time.monotonic() < deadline, "the chore does not run"
            await asyncio.sleep(SOON / 2)


@pytest.fixture
def sweeps_of_calls(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """The sweeps of the leases, which are many."""
    counted = Counted()
    monkeypatch.setattr(matchmaking.install, "SWEEP_EVERY", SOON)
    monkeypatch.setattr(CallServices, "sweep", counted.of(CallServices.sweep))
    return counted


@pytest.fixture
def sweeps_of_people(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """The sweeps of who is online, which are many."""
    counted = Counted()
    monkeypatch.setattr(sweep, "EVERY", SOON)
    monkeypatch.setattr(Presences, "sweep", counted.of(Presences.sweep))
    return counted


@pytest.fixture
def renewals_of_people(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """The renewals of who is online, which are many."""
    counted = Counted()
    monkeypatch.setattr("chat.services.presence.RENEW_EVERY", SOON)
    monkeypatch.setattr(Presences, "renew", counted.of(Presences.renew))
    return counted


async def is_over(process: ValkeyProcess) -> None:
    """Return when an outage, which began a minute ago, has ended."""
    process.kill()
    await until(State.DOWN, PATIENCE)
    link().health.since -= 60
    process.start()
    await until(State.UP, PATIENCE)


async def test_calls_whose_leases_have_run_out_in_the_outage_are_not_ended_at_once(
    sweeps_of_calls: Counted, tab: MakeTab, mortal: ValkeyProcess
) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await is_over(mortal)
        mortal.client.zadd(LEASES, {"ana": LONG_AGO})
        await sweeps_of_calls.again()
        for one in (ana, bob):
            await one.hears_nothing()
        link().health.since -= 11
        for one in (ana, bob):
            assert (await one.hears("hangup"))["payload"]["reason"] == "timeout"


async def test_those_whose_time_was_up_in_the_outage_are_not_offline_at_once(
    sweeps_of_people: Counted, tab: MakeTab, mortal: ValkeyProcess
) -> None:
    async with tab("bob", room="attic") as bob:
        async with tab("ana", room="attic"):
            pass
        await bob.asks("hello", "welcome", payload={"events": ["presence"]})
        await is_over(mortal)
        mortal.client.zadd("users:online", {"ana": LONG_AGO})
        await sweeps_of_people.again()
        await bob.hears_nothing()
        link().health.back_at -= 26
        told = await bob.hears("user_status")
        assert (told["payload"]["userId"], told["payload"]["status"]) == ("ana", "offline")


async def test_those_whom_valkey_has_forgotten_in_the_outage_are_not_online_anew(
    renewals_of_people: Counted, tab: MakeTab, mortal: ValkeyProcess
) -> None:
    async with tab("bob", room="attic") as bob, tab("ana", room="attic"):
        await bob.asks("hello", "welcome", payload={"events": ["presence"]})
        await is_over(mortal)
        mortal.client.delete("users:online")
        await renewals_of_people.again()
        await bob.hears_nothing()
        link().health.back_at -= 26
        mortal.client.zrem("users:online", "ana")
        told = await bob.hears("user_status")
        assert (told["payload"]["userId"], told["payload"]["status"]) == ("ana", "online")
