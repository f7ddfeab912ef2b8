"""The environment: what a wrong value says, and what the right ones mean. Each in a Python of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import inherited
from tests.support.repository import ROOT

SHOW = """
import json, sys
from django.conf import settings
print(json.dumps([getattr(settings, name) for name in sys.argv[1:]], default=str))
"""
"""What the settings that are named are, as JSON."""


Environment = dict[str, str]


def run(environment: Environment, *command: str, where: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Python with these variables only."""
    known = inherited() | {"DJANGO_SETTINGS_MODULE": "aleatoria.settings"}
    return subprocess.run(
        [sys.executable, *command], cwd=where, env=known | environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def data(tmp_path: Path) -> Environment:
    """What lets a server start."""
    return {"DEBUG": "on", "DATA_DIR": str(tmp_path / "data")}


def refusal(environment: Environment) -> str:
    """What an operator reads as the last line when `manage.py` does not start."""
    ran = run(environment, "manage.py", "check")
    assert ran.returncode != 0
    return ran.stderr.splitlines()[-1]


def values(environment: Environment, *names: str, where: Path = ROOT) -> list[Any]:
    """What the settings are."""
    ran = run(environment, "-c", SHOW, *names, where=where)
    assert ran.returncode == 0, ran.stderr
    shown: list[Any] = json.loads(ran.stdout)
    return shown


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("DEBUG", "maybe"),
        ("TRUST_USER_ID", "ana"),
        ("VALKEY_USE_TLS", "tls1.3"),
        ("EMBEDDED_VALKEY", "none"),
        ("RATE_LIMITS", "10/s"),
        ("ALLOWED_ORIGINS", "https://chat.example.com,chat.example.com"),
        ("ALLOWED_ORIGINS", "null"),
        ("VALKEY_PORT", "0"),
        ("VALKEY_PORT", "65536"),
        ("VALKEY_PORT", "63.79"),
        ("VALKEY_PORT", "６３７９"),
        ("REDIS_DB", "-1"),
        ("MESSAGE_TTL_HOURS", "a day"),
        ("MESSAGE_TTL_HOURS", "0"),
        ("MESSAGE_TTL_HOURS", "nan"),
        ("MESSAGE_TTL_HOURS", "inf"),
        ("DEFAULT_ROOM", "{lobby}"),
        ("MAX_MESSAGE_BYTES", "64k"),
        ("ROOM_HISTORY_MAX", "0"),
        ("MAX_ROOMS_PER_USER", "many"),
        ("SIGNALING", "closed"),
        ("STUN_URLS", "stun.example.com"),
        ("TURN_URLS", "stun:turn.example.com"),
        ("TURN_TTL_SECONDS", "1h"),
        ("DATA_DIR", "/dev/null/data"),
        ("METRICS_ALLOWED_IPS", "localhost"),
        ("METRICS_ALLOWED_IPS", "10.0.0.7/8"),
        ("METRICS_ALLOWED_IPS", "127.0.0.1,10.0.0.0/33"),
        ("METRICS_ALLOWED_IPS", "*"),
        ("LOG_FORMAT", "text"),
        ("LOG_FORMAT", "JSON"),
        ("LOG_LEVEL", "info"),
        ("LOG_LEVEL", "TRACE"),
        ("CALL_LEASE_SECONDS", "2.9"),
        ("CALL_LEASE_SECONDS", "45s"),
        ("CALL_LEASE_SECONDS", "1801"),
        ("CALL_HOLD_SECONDS", "0"),
        ("CALL_HOLD_SECONDS", "nan"),
        ("CALL_HOLD_SECONDS", "-1"),
    ],
)
def test_a_wrong_value_stops_the_start_and_is_named(data: Environment, name: str, wrong: str) -> None:
    said = refusal(data | {name: wrong})
    assert name in said
    assert repr(wrong) in said


@pytest.mark.parametrize(
    "url",
    [
        "s3cret",
        "mongo://aleatoria:s3cret@localhost/chat",
        "postgres://aleatoria:s3cret@localhost:54x/chat",
        "postgres://aleatoria:s3cret/1@localhost/chat",
    ],
)
def test_a_wrong_database_url_is_named_but_not_shown(data: Environment, url: str) -> None:
    ran = run(data | {"DATABASE_URL": url}, "manage.py", "check")
    assert ran.returncode != 0
    assert "DATABASE_URL" in ran.stderr.splitlines()[-1]
    assert "s3cret" not in ran.stdout + ran.stderr


def test_no_secret_is_shown_when_another_setting_is_wrong(data: Environment) -> None:
    secrets = dict.fromkeys(("SECRET_KEY", "VALKEY_PASSWORD", "TURN_SECRET"), "s3cret")
    ran = run(data | secrets | {"TURN_TTL_SECONDS": "1"}, "manage.py", "check")
    assert ran.returncode != 0
    assert "s3cret" not in ran.stdout + ran.stderr


def test_without_debug_a_secret_key_is_required(tmp_path: Path) -> None:
    data = {"DATA_DIR": str(tmp_path)}
    assert "SECRET_KEY" in refusal(data)
    assert "SECRET_KEY" in refusal(data | {"SECRET_KEY": ""})
    assert run(data | {"SECRET_KEY": "x" * 50}, "manage.py", "check").returncode == 0


def test_turn_needs_its_secret(data: Environment) -> None:
    assert "TURN_SECRET" in refusal(data | {"TURN_URLS": "turn:turn.example.com"})


@pytest.mark.parametrize(
    ("hours", "span"),
    [("0.001", "0:00:03.600000"), ("1.5", "1:30:00"), ("24", "1 day, 0:00:00"), ("", "1 day, 0:00:00")],
)
def test_hours_may_be_fractions(data: Environment, hours: str, span: str) -> None:
    assert values(data | {"MESSAGE_TTL_HOURS": hours}, "MESSAGE_TTL") == [span]


DEFAULTS = {
    "VALKEY_HOST": "localhost",
    "VALKEY_PORT": 6379,
    "VALKEY_USE_TLS": False,
    "EMBEDDED_VALKEY": True,
    "DEFAULT_ROOM": "lobby",
    "MAX_MESSAGE_BYTES": 65536,
    "ROOM_HISTORY_MAX": 10_000,
    "TRUST_USER_ID": True,
    "RATE_LIMITS": True,
    "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"],
}


def test_empty_means_unset(data: Environment) -> None:
    assert values(data | dict.fromkeys(DEFAULTS, ""), *DEFAULTS) == list(DEFAULTS.values())
    assert values(data, *DEFAULTS) == list(DEFAULTS.values())


def test_an_empty_valkey_host_is_none_that_is_configured(data: Environment) -> None:
    assert values(data | {"VALKEY_HOST": ""}, "VALKEY_CONFIGURED") == [False]


def test_production_trusts_no_user_id_and_no_host_unless_told(tmp_path: Path) -> None:
    production = {"SECRET_KEY": "x" * 50, "DATA_DIR": str(tmp_path)}
    assert values(production, "TRUST_USER_ID", "ALLOWED_HOSTS") == [False, []]


@pytest.mark.parametrize("text", ["$HOME", "$", "a$b", " ", "{x}#'%20"])
def test_a_secret_is_taken_as_it_is(data: Environment, text: str) -> None:
    secrets = ("SECRET_KEY", "VALKEY_PASSWORD", "VALKEY_USERNAME", "TURN_SECRET")
    assert values(data | dict.fromkeys(secrets, text), *secrets) == [text] * len(secrets)


@pytest.mark.parametrize("name", ["plain", "a b#c", "a?b=c", "100%25"])
def test_the_database_is_in_the_data_directory_whatever_its_name(tmp_path: Path, name: str) -> None:
    (databases,) = values({"DEBUG": "on", "DATA_DIR": str(tmp_path / name)}, "DATABASES")
    assert databases["default"]["NAME"] == str(tmp_path / name / "aleatoria.sqlite3")


def test_a_dotenv_file_is_read_and_the_environment_is_stronger(tmp_path: Path) -> None:
    # It lies beside manage.py, so this is a copy of the project with one.
    for part in ("aleatoria", "chat", "matchmaking"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".env").write_text("DEBUG=on\nDEFAULT_ROOM=hall\nMAX_ROOMS_PER_USER=7\nVALKEY_PASSWORD='a b#c'\n")
    names = ("DEFAULT_ROOM", "MAX_ROOMS_PER_USER", "VALKEY_PASSWORD")
    assert values({}, *names, where=tmp_path) == ["hall", 7, "a b#c"]
    assert values({"MAX_ROOMS_PER_USER": "9", "DEFAULT_ROOM": ""}, *names, where=tmp_path) == ["lobby", 9, "a b#c"]


# Trials


def test_the_command_needs_no_configuration(tmp_path: Path) -> None:
    data = {"DATA_DIR": str(tmp_path)}
    assert run(data, "-m", "aleatoria", "check").returncode == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "off"),
        ("ALLOWED_HOSTS", "chat.example.com"),
        ("ALLOWED_ORIGINS", "https://chat.example.com"),
        ("DATABASE_URL", "postgres://aleatoria:s3cret@localhost/chat"),
    ],
)
def test_a_server_that_is_configured_for_others_is_no_trial(tmp_path: Path, name: str, value: str) -> None:
    ran = run({"DATA_DIR": str(tmp_path), name: value}, "-m", "aleatoria", "check")
    assert ran.returncode == 1
    assert ran.stderr.startswith("SECRET_KEY is not set.")


def test_a_secret_key_turns_debug_off_for_the_command_as_well(tmp_path: Path) -> None:
    show = ("-m", "aleatoria", "shell", "--no-imports", "-c", "from django.conf import settings; print(settings.DEBUG)")
    assert run({"DATA_DIR": str(tmp_path)}, *show).stdout == "True\n"
    assert run({"DATA_DIR": str(tmp_path), "SECRET_KEY": "x" * 50}, *show).stdout == "False\n"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "chat.example.com"])
def test_a_trial_does_not_listen_where_other_machines_reach_it(tmp_path: Path, host: str) -> None:
    ran = run({"DATA_DIR": str(tmp_path)}, "-m", "aleatoria", "serve", "--host", host)
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"CommandError: SECRET_KEY is not set, so the server does not listen at {host}")
