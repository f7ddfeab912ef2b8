"""For how long and under which names totals are kept, as time passes and processes come and go."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
import redis
from django.test import Client

from aleatoria.operators import stats, totals
from aleatoria.operators.totals import Totals
from tests.conftest import MakeTab
from tests.support.admin_pages import VALKEY, shown, table
from tests.support.here import here, link

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


def test_each_hour_and_each_day_of_a_hundred_has_totals_of_its_own() -> None:
    hours = [NEW_YEAR + timedelta(hours=number) for number in range(-1200, 1200)]
    assert len({totals.hour_key(hour) for hour in hours}) == len(hours)
    assert len({totals.day_key(hour) for hour in hours}) == len(hours) // 24


def test_the_same_hour_of_the_next_day_month_and_year_has_totals_of_its_own() -> None:
    moments = [NEW_YEAR, NEW_YEAR.replace(day=2), NEW_YEAR.replace(month=2), NEW_YEAR.replace(year=2028)]
    for one, other in pairwise(moments):
        assert totals.hour_key(one) != totals.hour_key(other)
        assert totals.day_key(one) != totals.day_key(other)


async def test_one_who_begins_to_count_later_adds_nothing_that_was_counted_before(
    tab: MakeTab, keys: redis.Redis
) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("hello")
        await ana.hears("chat_message")
        await here().totals.flush()
        keys.flushall()
        await Totals(link()).flush()
    assert [hour.counts for hour in stats.hours(keys, 2)] == [{}, {}]


async def test_processes_of_one_number_on_one_host_report_beside_each_other(tab: MakeTab, keys: redis.Redis) -> None:
    for _ in range(3):
        await Totals(link()).flush()
    assert len(stats.processes(keys)) == 3


async def test_totals_are_of_the_hour_in_utc_wherever_the_server_stands(
    tab: MakeTab, keys: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime(2026, 7, 1, 23, 59, tzinfo=UTC)

    class Clock(datetime):
        """A clock in India, half an hour beside UTC."""

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return moment.astimezone(tz or timezone(timedelta(hours=5, minutes=30)))

    counting = Totals(link())
    async with tab("ana"):
        monkeypatch.setattr(totals, "datetime", Clock)
        await counting.flush()
    assert keys.exists("stats:hour:2026070123", "stats:day:20260701") == 2


def test_the_newest_day_stands_first_and_days_without_totals_are_left_out(admin: Client, keys: redis.Redis) -> None:
    today = datetime.now(UTC)
    days = [today - timedelta(days=back) for back in (0, 1, 4)]
    for number, day in enumerate(days):
        keys.hset(totals.day_key(day), "messages", number)
        keys.expire(totals.day_key(day), 60)
    rows = table(shown(admin.get(VALKEY)), "Day (UTC)")
    assert [row[0] for row in rows] == [f"{day:%Y-%m-%d}" for day in days]
