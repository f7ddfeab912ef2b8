"""What holds where nothing is set: as README.md says; and the bounds of what can be set."""

import re

import pytest

from aleatoria import environment
from tests.support.repository import ROOT
from tests.test_settings import values

README = (ROOT / "README.md").read_text()
DEFAULTS = {
    "LOG_FORMAT": ("json", "LOG_AS_JSON", True),
    "LOG_LEVEL": ("INFO", "LOG_LEVEL", "INFO"),
    "VALKEY_HOST": ("localhost", "VALKEY_HOST", "localhost"),
    "VALKEY_PORT": ("6379", "VALKEY_PORT", 6379),
    "VALKEY_USE_TLS": ("off", "VALKEY_USE_TLS", False),
    "REDIS_DB": ("0", "REDIS_DB", 0),
    "EMBEDDED_VALKEY": ("on", "EMBEDDED_VALKEY", True),
    "MESSAGE_TTL_HOURS": ("24", "MESSAGE_TTL", "1 day, 0:00:00"),
    "DEFAULT_ROOM": ("lobby", "DEFAULT_ROOM", "lobby"),
    "MAX_MESSAGE_BYTES": ("65536", "MAX_MESSAGE_BYTES", 65536),
    "ROOM_HISTORY_MAX": ("10000", "ROOM_HISTORY_MAX", 10_000),
    "MAX_ROOMS_PER_USER": ("50", "MAX_ROOMS_PER_USER", 50),
    "RATE_LIMITS": ("on", "RATE_LIMITS", True),
    "SIGNALING": ("matched", "SIGNALING_IS_OPEN", False),
    "TURN_TTL_SECONDS": ("3600", "TURN_TTL", "1:00:00"),
    "CALL_LEASE_SECONDS": ("45", "CALL_LEASE", "0:00:45"),
    "CALL_HOLD_SECONDS": ("30", "CALL_HOLD", "0:00:30"),
}
"""By variable: the default in the document, the setting, and its value."""
FIXED = {
    "MEMBERSHIP_TTL": "1 day, 0:00:00",
    "SESSION_TTL": "30 days, 0:00:00",
    "DEBUG": False,
    "TRUST_USER_ID": False,
    "ALLOWED_HOSTS": [],
    "ALLOWED_ORIGINS": "frozenset()",
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"],
    "X_FRAME_OPTIONS": "DENY",
}
"""What holds in production besides."""


def test_the_defaults_of_production_are_those_of_the_document(tmp_path_factory: pytest.TempPathFactory) -> None:
    production = {"SECRET_KEY": "x" * 50, "DATA_DIR": str(tmp_path_factory.mktemp("data"))}
    expected = {setting: value for _, setting, value in DEFAULTS.values()} | FIXED
    assert dict(zip(expected, values(production, *expected), strict=True)) == expected
    written = dict(re.findall(r"^\| `([A-Z_]+)` \| `([^`]+)`", README, re.MULTILINE))
    assert {name: written.get(name) for name in DEFAULTS} == {name: text for name, (text, _, _) in DEFAULTS.items()}


def test_the_table_of_settings_names_every_variable_that_is_read_and_no_other() -> None:
    read = set(re.findall(r"\b(?:setting|raw)\(\"([A-Z_]+)\"", (ROOT / "aleatoria" / "settings.py").read_text()))
    assert len(read) > 20
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE)) == read


BOUNDS = {
    "TURN_TTL_SECONDS": (environment.seconds, ("60", "604800"), ("59", "604801")),
    "CALL_LEASE_SECONDS": (environment.moments(3), ("3", "1800"), ("2.99", "1800.01")),
    "CALL_HOLD_SECONDS": (environment.moments(0.1), ("0.1", "1800"), ("0.09", "1800.01")),
    "MESSAGE_TTL_HOURS": (environment.hours, ("0.0003", "8784"), ("0.0002", "8785")),
    "whole numbers": (environment.whole(1, 65535), ("1", "65535"), ("0", "65536")),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_value_at_its_bound_can_be_set_and_one_beyond_it_cannot(name: str) -> None:
    convert, allowed, refused = BOUNDS[name]
    for text in allowed:
        convert(text)
    for text in refused:
        with pytest.raises(ValueError, match="expected"):
            convert(text)
