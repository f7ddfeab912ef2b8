"""Random calls: who meets whom, what each of them hears, and how a call ends."""

import pytest
import redis

from tests.conftest import MakeTab
from tests.support.calls import ANSWER, CANDIDATE, OFFER, meet, role_of, signals


async def test_two_strangers_meet_talk_part_and_meet_again(tab: MakeTab) -> None:
    async with tab("ana", path="/ws/matchmaking") as ana, tab("bob", path="/ws/matchmaking") as bob:
        for asking, waiting in ((ana, bob), (bob, ana)):
            await waiting.sends("user_available_webrtc")
            # Nothing answers that, so an error to a message of no known type tells when it has been done.
            await waiting.asks("fence", "error")
            await asking.sends("request_random_peer")
            assert await role_of(asking) == ("impolite", waiting.user)
            assert await role_of(waiting) == ("polite", asking.user)
            await signals(asking, waiting, "webrtc_offer", OFFER)
            await signals(waiting, asking, "webrtc_answer", ANSWER)
            await signals(asking, waiting, "webrtc_candidate", CANDIDATE)
            await signals(waiting, asking, "webrtc_candidate", CANDIDATE)
            await signals(asking, waiting, "hangup", {})
            for one in (ana, bob):
                assert (await one.asks("fence", "error"))["code"] == "unknown_type"


async def test_one_who_finds_nobody_waits_so_that_two_who_only_ask_do_meet(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        assert (await ana.asks("request_random_peer", "no_peer_available"))["message"]
        await bob.sends("request_random_peer")
        assert await role_of(bob) == ("impolite", "ana")
        assert await role_of(ana) == ("polite", "bob")


async def test_nobody_is_paired_with_themselves(tab: MakeTab) -> None:
    async with tab("ana") as ana:
        await ana.sends("user_available_webrtc")
        await ana.asks("request_random_peer", "no_peer_available")
        await ana.asks("request_random_peer", "no_peer_available")


async def test_one_who_is_no_longer_available_is_left_alone(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await bob.sends("user_available_webrtc")
        await bob.sends("user_unavailable_webrtc")
        await bob.hears_nothing()
        assert not keys.exists("available:webrtc", "{available:webrtc}:leases")
        await ana.asks("request_random_peer", "no_peer_available")


async def test_asking_again_in_a_call_keeps_it_and_repeats_the_role(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        for one, role, peer in ((ana, "impolite", "bob"), (bob, "polite", "ana")):
            await one.sends("request_random_peer", payload={"currentPeerId": "somebody-else"})
            assert await role_of(one) == (role, peer)
        await ana.hears_nothing()
        await bob.hears_nothing()


async def test_one_who_skips_gets_another_and_the_skipped_hears_it(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("cleo") as cleo:
        await meet(ana, bob)
        await cleo.sends("user_available_webrtc")
        await cleo.hears_nothing()
        await ana.sends("request_random_peer", payload={"currentPeerId": "bob"})
        assert await role_of(ana) == ("impolite", "cleo")
        assert await role_of(cleo) == ("polite", "ana")
        hangup = await bob.hears("hangup")
        assert hangup["fromUser"] == "ana"
        assert hangup["payload"] == {"reason": "skipped"}


async def test_the_skipped_is_not_met_again_at_once(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await ana.asks("request_random_peer", "no_peer_available", payload={"currentPeerId": "bob"})
        await bob.hears("hangup")
        await bob.sends("user_available_webrtc")
        await bob.hears_nothing()
        await ana.asks("request_random_peer", "no_peer_available", payload={"currentPeerId": "bob"})
        await ana.sends("request_random_peer")
        assert await role_of(ana) == ("impolite", "bob")


async def test_becoming_available_ends_the_call(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await bob.sends("user_available_webrtc")
        assert (await ana.hears("hangup"))["fromUser"] == "bob"
        await ana.sends("request_random_peer")
        assert await role_of(ana) == ("impolite", "bob")


@pytest.mark.parametrize("code", [1000, 1001, 1005, None])
async def test_a_clean_close_of_the_last_socket_ends_the_call(
    tab: MakeTab, keys: redis.Redis, code: int | None
) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await bob.closes(code)
        hangup = await ana.hears("hangup")
        assert (hangup["fromUser"], hangup["payload"]) == ("bob", {"reason": "disconnected"})
        assert not keys.exists("available:webrtc", "{available:webrtc}:pairs", "{available:webrtc}:leases")


async def test_a_clean_close_of_the_last_socket_leaves_the_pool(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana:
        await ana.sends("user_available_webrtc")
        await ana.hears_nothing()
        assert keys.smembers("available:webrtc") == {b"ana"}
    assert not keys.exists("available:webrtc")


async def test_a_ghost_is_not_met(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana:
        keys.sadd("available:webrtc", "ghost", "phantom")
        keys.zadd("{available:webrtc}:leases", {"ghost": 1})
        await ana.asks("request_random_peer", "no_peer_available")
        assert keys.smembers("available:webrtc") == {b"ana"}


async def test_no_key_of_a_call_is_for_ever(tab: MakeTab, keys: redis.Redis) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("cleo") as cleo:
        await meet(ana, bob)
        await cleo.sends("user_available_webrtc")
        await cleo.hears_nothing()
        names = {
            b"available:webrtc": b"set",
            b"{available:webrtc}:leases": b"zset",
            b"{available:webrtc}:pairs": b"hash",
            b"{available:webrtc}:callers": b"set",
        }
        for name, kind in names.items():
            assert keys.type(name) == kind
            assert keys.pttl(name) > 0
        assert keys.hgetall("{available:webrtc}:pairs") == {b"ana": b"bob", b"bob": b"ana"}
        assert keys.smembers("{available:webrtc}:callers") == {b"ana"}
