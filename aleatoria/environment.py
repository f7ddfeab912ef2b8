"""The environment and `.env`: how a variable is read and converted. No other module reads either of them."""

import os
from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

from aleatoria.wire.origins import Origin

Value = TypeVar("Value")

_CHECKOUT = Path(__file__).resolve().parent.parent
# An installed package lies in site-packages, where nothing is to be written: there, the current directory counts.
BASE_DIR = _CHECKOUT if (_CHECKOUT / "manage.py").is_file() else Path.cwd()
"""The directory of `.env` and of the default DATA_DIR."""

environ.Env.read_env(BASE_DIR / ".env")


# Who sets one of them configures a server for others, which must not get the settings of a trial by mistake.
_CONFIGURATION = ("DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "ALLOWED_ORIGINS", "DATABASE_URL")


class _Trial:
    """Whether the settings may be those of a trial: `aleatoria/__main__.py` allows it before they are loaded."""

    is_allowed = False


def allow_trial() -> None:
    """Let `is_trial()` be true in this process if nothing is configured. It has no effect once settings are loaded."""
    _Trial.is_allowed = True


def is_trial() -> bool:
    """Whether a trial is allowed and neither the environment nor `.env` configures a server for others."""
    return _Trial.is_allowed and not any(raw(name) for name in _CONFIGURATION)


def raw(name: str) -> str:
    """The text of the variable `name`; "" when it is not set."""
    # Not `environ.Env().str`: that takes a value like "$3cret" for the name of another variable.
    return os.environ.get(name, "")


def setting(name: str, default: Value, convert: Callable[[str], Value]) -> Value:
    """The variable `name`, converted; `default` when it is unset or empty.

    Raises ImproperlyConfigured, with the variable's name and text, when `convert` raises ValueError.
    """
    text = raw(name)
    if not text:
        return default
    try:
        return convert(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={text!r}: {error}") from error


def switch(text: str) -> bool:
    """True for "on", False for "off"."""
    if text.lower() in ("on", "true", "yes", "1"):
        return True
    if text.lower() in ("off", "false", "no", "0"):
        return False
    raise ValueError("expected on or off")


def whole(lowest: int, highest: int) -> Callable[[str], int]:
    """A converter to a whole number from `lowest` to `highest`."""

    def convert(text: str) -> int:
        if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
            raise ValueError(f"expected a whole number from {lowest} to {highest}")
        return int(text)

    return convert


def hours(text: str) -> timedelta:
    """The time span of a number of hours, which may be a fraction."""
    try:
        span = timedelta(hours=float(text))
    except (ValueError, OverflowError):
        span = timedelta(0)
    if not timedelta(seconds=1) <= span <= timedelta(days=366):
        raise ValueError("expected hours as a number, at least 0.0003 (a second) and at most a year")
    return span


def listed(text: str) -> list[str]:
    """The entries of a list that is separated by commas."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def seconds(text: str) -> timedelta:
    """The time span of a whole number of seconds, from a minute to a week."""
    return timedelta(seconds=whole(60, 7 * 24 * 3600)(text))


def moments(lowest: float) -> Callable[[str], timedelta]:
    """A converter to a time span of `lowest` to 1800 seconds, fractions allowed."""

    def convert(text: str) -> timedelta:
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if not lowest <= number <= 1800:
            raise ValueError(f"expected seconds as a number from {lowest:g} to 1800")
        return timedelta(seconds=number)

    return convert


def one_of(true: str, false: str) -> Callable[[str], bool]:
    """A converter of two words: True for `true`, False for `false`."""

    def convert(text: str) -> bool:
        if text not in (true, false):
            raise ValueError(f"expected {true} or {false}")
        return text == true

    return convert


def ice_urls(*schemes: str) -> Callable[[str], list[str]]:
    """A converter to a list of URLs, separated by commas, each starting with one of `schemes`."""

    def convert(text: str) -> list[str]:
        urls = listed(text)
        if not all(url.startswith(schemes) for url in urls):
            raise ValueError(f"expected URLs between commas, each starting with {' or '.join(schemes)}")
        return urls

    return convert


def log_level(text: str) -> str:
    """The name of a level of Python's logging."""
    if text not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("expected DEBUG, INFO, WARNING or ERROR")
    return text


def networks(text: str) -> list[IPv4Network | IPv6Network]:
    """Addresses and networks, separated by commas, like 10.0.0.7 or 10.0.0.0/8."""
    return [ip_network(entry) for entry in listed(text)]


def origins(text: str) -> frozenset[Origin]:
    """Origins, separated by commas, like https://chat.example.com."""
    return frozenset(Origin.parse(entry) for entry in listed(text))
