"""Every setting, read once from the environment or `.env`; a wrong one stops the start and is named."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from aleatoria.environment import (
    BASE_DIR,
    hours,
    ice_urls,
    is_trial,
    listed,
    log_level,
    moments,
    networks,
    one_of,
    origins,
    raw,
    seconds,
    setting,
    switch,
    whole,
)
from aleatoria.wire import names
from aleatoria.wire.origins import Origin

# The one place of the version: pyproject.toml reads it from here, so it stays a plain literal.
VERSION = "0.1.0"

# The server

# Nothing is configured, and the command `aleatoria` runs: the server is for trying things out on this machine.
TRIAL = is_trial()
DEBUG = setting("DEBUG", TRIAL, switch)
SECRET_KEY = setting("SECRET_KEY", "", str)
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Set it to 50 random characters, or DEBUG=on to try things out."
        )
    SECRET_KEY = "for development only: whoever knows this key can be anybody"  # noqa: S105
ALLOWED_HOSTS = setting("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"] if DEBUG else [], listed)
# Empty: pages of this very host, which ALLOWED_HOSTS limits.
ALLOWED_ORIGINS = setting("ALLOWED_ORIGINS", frozenset[Origin](), origins)
# `?userId=` proves nothing. Clients of the original server need it; production does without.
TRUST_USER_ID = setting("TRUST_USER_ID", DEBUG, switch)
DATA_DIR = setting("DATA_DIR", BASE_DIR / "data", Path).absolute()
SESSION_TTL = timedelta(days=30)

LOG_AS_JSON = setting("LOG_FORMAT", not DEBUG, one_of("json", "line"))
LOG_LEVEL = setting("LOG_LEVEL", "INFO", log_level)
# Those who may read /metrics: this machine, unless told otherwise.
METRICS_ALLOWED_IPS = setting("METRICS_ALLOWED_IPS", networks("127.0.0.0/8,::1"), networks)

# Valkey. The names are those of the original server.

VALKEY_CONFIGURED = bool(raw("VALKEY_HOST"))
VALKEY_HOST = setting("VALKEY_HOST", "localhost", str)
VALKEY_PORT = setting("VALKEY_PORT", 6379, whole(1, 65535))
VALKEY_USERNAME = setting("VALKEY_USERNAME", "", str)
VALKEY_PASSWORD = setting("VALKEY_PASSWORD", "", str)
VALKEY_USE_TLS = setting("VALKEY_USE_TLS", False, switch)
REDIS_DB = setting("REDIS_DB", 0, whole(0, 1_000_000))
EMBEDDED_VALKEY = setting("EMBEDDED_VALKEY", True, switch)

# Chat

MESSAGE_TTL = setting("MESSAGE_TTL_HOURS", timedelta(hours=24), hours)
# Membership outlives a user's last sign of life by a day.
MEMBERSHIP_TTL = timedelta(days=1)
DEFAULT_ROOM = setting("DEFAULT_ROOM", "lobby", names.room_name)
MAX_MESSAGE_BYTES = setting("MAX_MESSAGE_BYTES", 65536, whole(1024, 16 * 1024 * 1024))
ROOM_HISTORY_MAX = setting("ROOM_HISTORY_MAX", 10_000, whole(1, 1_000_000))
MAX_ROOMS_PER_USER = setting("MAX_ROOMS_PER_USER", 50, whole(1, 10_000))
RATE_LIMITS = setting("RATE_LIMITS", True, switch)

# Calls

# How long users outlive the process that holds their sockets. It renews this three times as often, so that one slow
# moment does not end a call, and at most once a second: hence the lower bound.
CALL_LEASE = setting("CALL_LEASE_SECONDS", timedelta(seconds=45), moments(3))
# How long one whose connection is lost may come back.
CALL_HOLD = setting("CALL_HOLD_SECONDS", timedelta(seconds=30), moments(0.1))
# Open: offers, answers, candidates and hangups also pass between people who were not paired.
SIGNALING_IS_OPEN = setting("SIGNALING", False, one_of("open", "matched"))
STUN_URLS = setting("STUN_URLS", list[str](), ice_urls("stun:", "stuns:"))
TURN_URLS = setting("TURN_URLS", list[str](), ice_urls("turn:", "turns:"))
TURN_SECRET = setting("TURN_SECRET", "", str)
TURN_TTL = setting("TURN_TTL_SECONDS", timedelta(hours=1), seconds)
if TURN_URLS and not TURN_SECRET:
    raise ImproperlyConfigured("TURN_SECRET is not set, but TURN_URLS is. It is the TURN server's static-auth-secret.")

# Django


def _database(url: str) -> dict[str, Any]:
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(_data_dir() / "aleatoria.sqlite3")}
    try:
        config: dict[str, Any] = environ.Env.db_url_config(url)
    except ValueError:
        config = {}
    if config.get("ENGINE") not in environ.Env.DB_SCHEMES.values():
        # Not in the words of `setting`, nor of what went wrong: the URL holds a password.
        raise ImproperlyConfigured("DATABASE_URL: expected something like postgres://user:password@host:5432/name")
    return config


def _data_dir() -> Path:
    try:
        DATA_DIR.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"DATA_DIR={str(DATA_DIR)!r}: {error.strerror}") from error
    return DATA_DIR


DATABASES = {"default": _database(raw("DATABASE_URL"))}
INSTALLED_APPS = [
    "daphne",
    "aleatoria.admin_config.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "aleatoria",
    "chat",
    "matchmaking",
]
MIDDLEWARE = [
    "aleatoria.middleware.trace_requests",
    "aleatoria.views.probes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ROOT_URLCONF = "aleatoria.urls"
ASGI_APPLICATION = "aleatoria.asgi.application"
CHANNEL_LAYERS = {"default": {"BACKEND": "aleatoria.node.channel_layer"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
# Found where the apps keep them: nothing has to be collected first.
WHITENOISE_USE_FINDERS = True
X_FRAME_OPTIONS = "DENY"

# TLS ends at the proxy in front, which redirects to https and decides on HSTS for its whole domain.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"trace": {"()": "aleatoria.telemetry.logs.TraceFilter"}},
    "formatters": {
        "json": {"()": "aleatoria.telemetry.logs.JsonLineFormatter"},
        "line": {"()": "aleatoria.telemetry.logs.LineFormatter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["trace"],
            "formatter": "json" if LOG_AS_JSON else "line",
        }
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # Django's own handlers would say some things a second time, in another form.
    "loggers": {name: {"level": LOG_LEVEL} for name in ("aleatoria", "chat", "matchmaking")}
    | {"django": {"handlers": [], "level": "WARNING"}},
}
