"""`inspect_pool`: who waits and who is in a call."""

import time
from datetime import UTC, datetime, timedelta

import pytest
import redis

from aleatoria.node import Node
from aleatoria.operators import stats, totals
from matchmaking.services import WAITS
from tests.conftest import MakeTab
from tests.support.calls import meet
from tests.support.commands import Manage
from tests.support.planted import call
from tests.support.stopped_clock import stop_clock


async def test_the_pool_is_shown_with_who_waits_and_who_is_in_a_call(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("cat") as cat:
        await meet(ana, bob)
        await cat.asks("request_random_peer", "no_peer_available")
        pool = (await manage.json("inspect_pool"))["pool"]
        assert (pool["waiting"], pool["calls"]) == (1, 1)
        assert pool["first_calls"] == [{"asked": "ana", "chosen": "bob"}]
        (waiting,) = pool["first_waiting"]
        assert waiting["user"] == "cat"
        assert 0 < waiting["alive_for_seconds"] <= 45
        lines = (await manage("inspect_pool")).lines
        assert lines[0].startswith("1 user waiting, 1 call. ")
        assert lines[1] == "WAITING LEASE EXPIRES IN"
        assert lines[2].startswith("cat 0:00:")
        assert lines[3:] == ["REQUESTED BY PAIRED WITH", "ana bob"]


async def test_an_empty_pool_is_in_one_line(manage: Manage) -> None:
    (line,) = (await manage("inspect_pool")).lines
    assert line.startswith("0 users waiting, 0 calls. ")
    assert line.endswith("0 pairs; nobody had to wait.")
    assert await manage.json("inspect_pool") == {
        "pool": {"waiting": 0, "calls": 0, "first_waiting": [], "first_calls": []},
        "median_wait_seconds": None, "matches": 0,
    }  # fmt: skip


@pytest.mark.plants
async def test_one_who_waits_without_a_lease_is_said_to(keys: redis.Redis, manage: Manage) -> None:
    keys.sadd("available:webrtc", "ana")
    ran = await manage("inspect_pool")
    assert ran.lines[-1] == "ana no lease: run `manage.py audit`"
    (waiting,) = (await manage.json("inspect_pool"))["pool"]["first_waiting"]
    assert waiting == {"user": "ana", "alive_for_seconds": None}


async def test_of_a_crowd_the_first_are_shown(keys: redis.Redis, manage: Manage) -> None:
    crowd = [f"user{number}" for number in range(500)]
    keys.sadd("available:webrtc", *crowd)
    keys.zadd("{available:webrtc}:leases", dict.fromkeys(crowd, time.time() + 45))
    for key in ("available:webrtc", "{available:webrtc}:leases"):
        keys.expire(key, 3600)
    pool = (await manage.json("inspect_pool"))["pool"]
    assert pool["waiting"] == 500
    assert len({waiting["user"] for waiting in pool["first_waiting"]}) == 200
    assert (await manage("inspect_pool")).lines[-1] == "The first 200 of each are shown."


async def test_of_many_calls_the_first_are_shown(keys: redis.Redis, manage: Manage) -> None:
    for number in range(300):
        call(keys, f"asked{number}", f"chosen{number}")
    pool = (await manage.json("inspect_pool"))["pool"]
    assert pool["calls"] == 300
    assert 150 <= len(pool["first_calls"]) <= 200
    assert all(one["asked"].startswith("asked") for one in pool["first_calls"])
    assert (await manage("inspect_pool")).lines[-1] == "The first 200 of each are shown."


async def test_pairs_and_waits_of_real_calls_are_shown(tab: MakeTab, node: Node, manage: Manage) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await meet(ana, bob)
        await node.totals.flush()
        shown = await manage.json("inspect_pool")
        assert shown["matches"] == 1
        assert 0 < shown["median_wait_seconds"] < 5


async def test_how_long_people_wait_is_read_from_the_last_hours(
    keys: redis.Redis, manage: Manage, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = stop_clock(monkeypatch, stats).moment
    for key, counts in (
        (totals.hour_key(now), {"matches": 4, f"waits:{WAITS[1]}": 2}),
        (totals.hour_key(now - timedelta(hours=2)), {"matches": 100, "waits:longer": 100}),
        (totals.hour_key(now - timedelta(hours=1)), {"matches": 3, f"waits:{WAITS[0]}": 1, "waits:longer": 1}),
    ):
        for field, count in counts.items():
            keys.hset(key, field, str(count))
        keys.expire(key, 60)
    shown = await manage.json("inspect_pool")
    assert shown["matches"] == 7
    assert WAITS[0] < shown["median_wait_seconds"] < WAITS[1]
    said = (await manage("inspect_pool")).lines[0]
    assert f"7 pairs; the median wait was {shown['median_wait_seconds']:.1f} s." in said


async def test_when_most_wait_longer_than_is_told_apart_the_longest_is_shown(keys: redis.Redis, manage: Manage) -> None:
    key = totals.hour_key(datetime.now(UTC))
    keys.hset(key, mapping={"waits:0.1": "1", "waits:longer": "2"})
    keys.expire(key, 60)
    assert (await manage.json("inspect_pool"))["median_wait_seconds"] == WAITS[-1]
