"""How Valkey is queried for operators: not for long, not too much at once, and nothing that is not there."""

import time
from pathlib import Path
from typing import Any

import pytest
import redis

from aleatoria.catalog import RULES
from aleatoria.operators import audit, stats
from aleatoria.operators.stats import Away, ask_all, asking, found, looking
from aleatoria.valkey.health import State
from tests.support.processes import ValkeyProcess


def test_a_valkey_that_hangs_is_waited_for_a_few_seconds_and_not_at_all_once_that_is_known(tmp_path: Path) -> None:
    with ValkeyProcess(tmp_path) as hung:
        hung.hang()
        for state, seconds in ((State.UNKNOWN, 8.0), (State.DOWN, 1.0)):
            began = time.monotonic()
            with pytest.raises(Away), looking(hung.address, state) as client:
                client.ping()
            assert time.monotonic() - began < seconds


def test_very_many_questions_are_asked_a_thousand_at_a_time_and_answered_in_order(
    keys: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    execute = redis.client.Pipeline.execute

    def noted(self: Any, *args: Any, **options: Any) -> Any:
        sizes.append(len(self))
        return execute(self, *args, **options)

    monkeypatch.setattr(redis.client.Pipeline, "execute", noted)
    answers = ask_all(keys, [asking("echo", str(number)) for number in range(2500)])
    assert answers == [str(number).encode() for number in range(2500)]
    assert max(sizes) <= 1000


@pytest.mark.parametrize("prefix", ["a*:", "a?:", "[ab]:", "a\\:"])
def test_a_prefix_that_looks_like_a_pattern_finds_no_other_keys(keys: redis.Redis, prefix: str) -> None:
    for name in (f"{prefix}x", "a:x", "b:x", "ab:x", "axx:x"):
        keys.set(name, "", ex=60)
    assert list(found(keys, prefix)) == ["x"]


class Twice:
    """A client whose scan yields each key twice, as it may while Valkey makes room."""

    def scan_iter(self, **options: object) -> list[bytes]:
        return [b"room:one", b"room:two", b"room:one", b"room:two"]


def test_a_key_that_is_scanned_twice_is_found_once() -> None:
    assert list(found(Twice(), "room:")) == ["one", "two"]  # type: ignore[arg-type] # all that is asked of a client


def test_a_process_whose_report_expires_while_it_is_read_is_left_out(
    keys: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.hset("stats:process:1", mapping={"host": "here", "pid": 7})
    keys.expire("stats:process:1", 60)
    monkeypatch.setattr(stats, "found", lambda *_: ["1", "gone"])
    assert [process.pid for process in stats.processes(keys)] == [7]


# The state of Valkey


class Info:
    """A client of a Valkey that says this of itself."""

    def __init__(self, client: redis.Redis, **said: object) -> None:
        self._said = client.info() | said
        self.dbsize = client.dbsize
        self.config_get = client.config_get

    def info(self) -> dict[str, Any]:
        return self._said


def info(client: redis.Redis, **said: object) -> stats.ValkeyInfo:
    return stats.valkey_info(Info(client, **said))  # type: ignore[arg-type] # all that is asked of a client


def test_the_hit_rate_is_the_share_of_lookups_that_found_a_key(keys: redis.Redis) -> None:
    assert info(keys, keyspace_hits=3, keyspace_misses=1).hit_rate == 0.75
    assert info(keys, keyspace_hits=0, keyspace_misses=0).hit_rate is None


@pytest.mark.parametrize(
    ("said", "is_well"),
    [
        ({}, True),
        ({"rdb_last_bgsave_status": "err"}, False),
        ({"aof_last_write_status": "err"}, False),
        ({"rdb_last_bgsave_status": "err", "aof_last_write_status": "err"}, False),
    ],
)
def test_a_valkey_that_could_not_write_to_its_disk_is_not_well(
    keys: redis.Redis, said: dict[str, str], *, is_well: bool
) -> None:
    assert info(keys, **said).persistence_is_well is is_well


# The audit


@pytest.mark.plants
def test_a_repair_does_not_touch_an_expiry_that_was_set_meanwhile(keys: redis.Redis) -> None:
    keys.sadd("user:rooms:ana", "attic")
    (breach,) = RULES["expiry"](keys)
    keys.expire("user:rooms:ana", 60)
    assert breach.repair is not None
    breach.repair()
    assert 0 < keys.ttl("user:rooms:ana") <= 60


def test_a_key_that_expires_during_the_audit_breaks_no_rule(keys: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.sadd("user:rooms:ana", "attic")
    ours = audit._ours(keys)
    assert ours
    keys.delete("user:rooms:ana")
    monkeypatch.setattr(audit, "_ours", lambda _: ours)
    assert [*RULES["type"](keys), *RULES["expiry"](keys)] == []
