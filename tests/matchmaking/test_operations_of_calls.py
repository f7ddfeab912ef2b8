"""What operators do to users of random calls, and what those users hear."""

import redis

from matchmaking import operations
from matchmaking.store import pool
from tests.conftest import MakeTab
from tests.support.calls import OFFER, meet, role_of, signals
from tests.support.here import here
from tests.support.planted import call, waits


async def test_both_of_a_call_that_an_operator_ends_hear_so_and_it_is_not_written_back(
    tab: MakeTab, keys: redis.Redis
) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        operations.quit_all(keys, "ana")
        for one, other in ((ana, "bob"), (bob, "ana")):
            hangup = await one.hears("hangup")
            assert (hangup["fromUser"], hangup["toUser"]) == (other, one.user)
            assert hangup["payload"] == {"reason": "disconnected"}
        assert not keys.exists(*pool.KEYS)
        await here().callers.renew()
        assert not keys.exists(*pool.KEYS)


async def test_one_who_waits_is_taken_out_and_not_written_back(tab: MakeTab, keys: redis.Redis) -> None:
    for act in (operations.quit_all, operations.withdraw):
        async with tab("ana") as ana:
            await ana.asks("request_random_peer", "no_peer_available")
            act(keys, "ana")
            await ana.hears_nothing()
            await here().callers.renew()
            assert not keys.exists(*pool.KEYS)
            await ana.asks("request_random_peer", "no_peer_available")


async def test_one_whose_connection_is_lost_is_taken_out_too(keys: redis.Redis) -> None:
    waits(keys, "ana")
    call(keys, "bob", "cleo")
    for user in ("ana", "cleo"):
        operations.quit_all(keys, user)
    assert not keys.exists(*pool.KEYS)


async def test_a_call_goes_on_when_one_of_its_users_is_taken_out_of_the_pool(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        operations.withdraw(keys, "ana")
        await ana.hears_nothing()
        await signals(ana, bob, "webrtc_offer", OFFER)
        await here().callers.renew()
        await bob.sends("request_random_peer")
        assert await role_of(bob) == ("polite", "ana")
