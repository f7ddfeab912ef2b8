"""The admin's page about Valkey."""

import pytest
import redis
from django.test import Client

from aleatoria.operators import stats
from tests.support import planted
from tests.support.admin_pages import VALKEY, charts, facts, shown, table, text
from tests.support.planted import counted
from tests.support.stopped_clock import stop_clock


def test_valkey_is_shown_with_its_numbers(admin: Client, keys: redis.Redis) -> None:
    keys.set("something", "else", ex=60)
    html = shown(admin.get(VALKEY))
    numbers = facts(html)
    assert numbers["Server"].startswith("Valkey ")
    assert numbers["Server"].endswith(", master")
    assert (numbers["Keys"], numbers["Persistence"]) == ("1", "none")
    assert "No server process has reported in the last few seconds." in text(html)
    assert "There are no totals yet." in text(html)


def test_what_was_counted_is_shown_by_hours_and_days(
    admin: Client, keys: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_clock(monkeypatch, stats, planted)
    counted(keys, messages=1500, direct_messages=500, matches=3, connections=7, histories_found=4, histories_degraded=1)
    html = shown(admin.get(VALKEY))
    (bars,) = charts(html).values()
    assert len(bars) == 24
    assert bars[-1] == (100, "23:00: 2000")
    assert table(html, "Day (UTC)") == [["2027-02-28", "1500", "500", "3", "7"]]
    numbers = facts(html)
    assert (numbers["Found messages"], numbers["Empty"], numbers["Valkey was away"]) == ("4", "0", "1")


def test_the_server_processes_are_shown(admin: Client, keys: redis.Redis) -> None:
    for pid in (12, 7):
        report: dict[str, str] = {
            "host": "<b>",
            "pid": str(pid),
            "version": "1.0",
            "sockets": "3",
            "users": "2",
            "rooms": "1",
        }
        keys.hset(f"stats:process:{pid}", mapping=report)  # type: ignore[arg-type] # texts are fine
        keys.expire(f"stats:process:{pid}", 20)
    html = shown(admin.get(VALKEY))
    assert table(html, "Host") == [["<b>", "7", "1.0", "3", "2", "1"], ["<b>", "12", "1.0", "3", "2", "1"]]
    assert "<b>" not in html
