"""The check for leaks that runs over the log of every run of the tests."""

import logging
import re
from pathlib import Path

import pytest

from aleatoria.telemetry import trace
from aleatoria.wire import identity
from tests.support.leaks import collecting, leaks, leaks_in

SHOWS = {
    "what somebody says": "INFO: fence 0b0e7b1c-2a3d-4e5f-8a9b-0c1d2e3f4a5b",
    "a session description": r'{"message": "v=0\r\no=x"}',
    "a candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host",
    "a token": identity.sign("ana", 2e9),
    "a bearer's proof": "Authorization: Bearer 0123456789",
    "a cookie": "Cookie: sessionid=abc",
    "a password": "VALKEY_PASSWORD=s3cret",
}


@pytest.mark.parametrize(("name", "text"), list(SHOWS.items()), ids=list(SHOWS))
def test_a_leak_is_found_and_shown_with_its_line(tmp_path: Path, name: str, text: str) -> None:
    log = tmp_path / "a.log"
    log.write_text(f"one\ntwo {text} three\nfour\n")
    found = leaks_in([log, tmp_path / "there is none.log"])
    assert f"{tmp_path.name}/a.log: {name}: two {text} three" in found


@pytest.mark.parametrize("cut", [0, 1], ids=["what it says", "its signature"])
def test_half_a_token_is_a_leak_too(cut: int) -> None:
    half = f"~{identity.sign('ana', 2e9).split('~')[1]}" if cut else identity.sign("ana", 2e9).split("~")[0]
    assert leaks(f"x{half}") != []


def test_an_ordinary_log_shows_none() -> None:
    assert leaks("2026-11-24 12:00:00,000 INFO: ana-7f3k2q is connected [connection_id=0a1b2c3d]\ncandidate\n") == []


def test_all_that_the_server_logs_is_looked_at_and_nothing_of_the_tests_own(tmp_path: Path) -> None:
    log = tmp_path / "here.log"
    trace.current.set(None)
    with collecting(log):
        for name in ("aleatoria.wire.consumer", "django.request", "daphne", "redis.connection"):
            logging.getLogger(name).debug("from %s", name)
        for name in ("websockets.client", "aioice.ice", "tests", "chatty"):
            logging.getLogger(name).error("from %s", name)
    found = re.findall("DEBUG: from (.*)", log.read_text())
    assert found == ["aleatoria.wire.consumer", "django.request", "daphne", "redis.connection"]
    assert "ERROR" not in log.read_text()
