"""The admin's page about random calls."""

import re
from datetime import timedelta

import pytest
import redis
from django.test import Client

from aleatoria.operators import stats
from tests.support import planted
from tests.support.admin_pages import CALLS, charts, facts, shown, table, text
from tests.support.planted import call, counted, waits
from tests.support.stopped_clock import stop_clock


def test_who_waits_and_who_is_in_a_call_is_shown(admin: Client, keys: redis.Redis) -> None:
    waits(keys, "bob", "ana")
    call(keys, "zoe", "cam")
    html = shown(admin.get(CALLS))
    assert (facts(html)["Waiting"], facts(html)["Calls"]) == ("2", "1")
    assert [row[0] for row in table(html, "User")] == ["ana", "bob"]
    assert [row[:2] for row in table(html, "Requested by")] == [["zoe", "cam"]]


def test_how_long_one_who_waits_counts_as_alive_is_shown(admin: Client, keys: redis.Redis) -> None:
    waits(keys, "ana", seconds=3725.9)
    ((_, alive, _),) = table(shown(admin.get(CALLS)), "User")
    assert re.fullmatch("1:02:0[3-6]", alive)


def test_one_whose_lease_has_run_out_counts_as_alive_no_longer(admin: Client, keys: redis.Redis) -> None:
    waits(keys, "ana", seconds=-5)
    ((_, alive, _),) = table(shown(admin.get(CALLS)), "User")
    assert alive == "expired"


@pytest.mark.plants
def test_one_who_waits_without_a_lease_is_shown(admin: Client, keys: redis.Redis) -> None:
    keys.sadd("available:webrtc", "ana")
    ((_, alive, _),) = table(shown(admin.get(CALLS)), "User")
    assert alive == "no lease"


def test_when_nobody_waits_or_calls_the_page_says_so(admin: Client) -> None:
    html = shown(admin.get(CALLS))
    assert "Nobody is waiting." in text(html)
    assert "There are no calls." in text(html)
    assert facts(html) == {
        "Waiting": "0", "Calls": "0", "Median wait, last day": "\u2013", "Pairs, last day": "0"
    }  # fmt: skip


def test_pairs_and_waits_of_the_last_day_are_shown(
    admin: Client, keys: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_clock(monkeypatch, stats, planted)
    counted(keys, matches=30, waits__longer=0)
    counted(keys, timedelta(hours=5), matches=12)
    counted(keys, timedelta(hours=30), matches=1000)
    html = shown(admin.get(CALLS))
    assert facts(html)["Pairs, last day"] == "42"
    (bars,) = charts(html).values()
    assert [(place, height) for place, (height, _) in enumerate(bars) if height] == [(18, 40), (23, 100)]
