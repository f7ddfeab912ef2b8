"""Every group name there is. Channels allows `[A-Za-z0-9._-]` under 100 characters, so names are digests:
replacing characters would make two rooms one."""

from functools import lru_cache
from hashlib import blake2b


def _digest(name: str) -> str:
    return blake2b(name.encode(), digest_size=20).hexdigest()


@lru_cache(maxsize=16_384)
def room(name: str) -> str:
    """The sockets that hear a room."""
    return f"room.{_digest(name)}"


@lru_cache(maxsize=16_384)
def watchers(kind: str, name: str) -> str:
    """The sockets that hear a kind of news about a room's people, as they have asked to."""
    return f"{kind}.{_digest(name)}"


@lru_cache(maxsize=16_384)
def user(user_id: str) -> str:
    """All sockets of a user that speak chat."""
    return f"user.{_digest(user_id)}"


@lru_cache(maxsize=16_384)
def tabs(user_id: str) -> str:
    """All sockets of a user that speak matchmaking."""
    return f"tabs.{_digest(user_id)}"


@lru_cache(maxsize=16_384)
def caller(user_id: str) -> str:
    """The one socket of a user that holds his side of a call, or his place in the pool."""
    return f"caller.{_digest(user_id)}"
