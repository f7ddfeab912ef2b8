"""An old socket's goodbye, and what the user has done on a new one meanwhile."""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest

from aleatoria.valkey.layer import ChannelLayer
from matchmaking.store.memory_pool import MemoryPool
from matchmaking.store.pool import Clock, Pool, ValkeyPool
from tests.conftest import MakeTab
from tests.support.calls import meet, role_of
from tests.support.here import link


async def test_an_old_sockets_goodbye_does_not_undo_what_a_new_one_has_just_done(
    tab: MakeTab, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = ChannelLayer.has_members
    async with AsyncExitStack() as stack:
        bob, ana = [await stack.enter_async_context(tab(name)) for name in ("bob", "ana")]
        await meet(ana, bob)
        new = tab("ana")

        async def is_slow(layer: ChannelLayer, group: str) -> bool:
            there = await looked(layer, group)
            await stack.enter_async_context(new)
            await new.sends("request_random_peer")
            assert await role_of(new) == ("impolite", "bob")
            return there

        monkeypatch.setattr(ChannelLayer, "has_members", is_slow)
        await ana.closes()
        monkeypatch.undo()
        await bob.hears_nothing()
        await new.sends("request_random_peer")
        assert await role_of(new) == ("impolite", "bob")


@pytest.mark.usefixtures("tab")
@pytest.mark.parametrize("twin", [MemoryPool, lambda clock: ValkeyPool(link(), clock)], ids=["memory", "valkey"])
async def test_one_who_is_said_to_be_gone_stays_after_asking_again(twin: Callable[[Clock], Pool]) -> None:
    start = now = time.time()
    pool = twin(lambda: now)
    await pool.offer("ana")
    now = start + 2
    await pool.request("bob", "")
    assert (await pool.quit("bob", start + 1)).peer == ""
    assert await pool.peer("bob") == "ana"
    assert (await pool.quit("bob", start + 3)).peer == "ana"
    assert await pool.peer("ana") == ""
