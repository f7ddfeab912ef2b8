"""The kinds of servers that are recorded, and their settings."""

from typing import Any

from tests.support.processes import ServerProcess, UvicornProcess

LARGEST_ON_UVICORN = 1_000_000
"""Bytes of the largest frame that uvicorn passes on. Its default of 16 MiB takes seconds to send."""
KINDS: dict[str, tuple[Any, ...]] = {
    "daphne": (ServerProcess,),
    "uvicorn": (UvicornProcess, "--ws-max-size", str(LARGEST_ON_UVICORN)),
}
"""The kinds of servers, each with its options."""
TURN_SECRET = "for the recording only"
LENIENT = {
    "MAX_ROOMS_PER_USER": "4",
    "CALL_HOLD_SECONDS": "6",
    "STUN_URLS": "stun:turn.example.com:3478",
    "TURN_URLS": "turn:turn.example.com:3478",
    "TURN_SECRET": TURN_SECRET,
}
"""The settings of the lenient server, beside those of a development setup: it believes `?userId=`."""
STRICT = {
    "DEBUG": "off",
    "SECRET_KEY": "a key that only the recording uses, of more than fifty characters",
    "ALLOWED_HOSTS": "127.0.0.1",
    "ALLOWED_ORIGINS": "https://chat.example.com",
    "RATE_LIMITS": "on",
    "SIGNALING": "open",
}
"""The settings of the strict server: those of production, with rate limits and open signaling."""
