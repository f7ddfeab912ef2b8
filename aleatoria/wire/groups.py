"""The names of all groups of sockets in the channel layer. Each function is named for the sockets that hear the group.

Channels allows `[A-Za-z0-9._-]` and fewer than 100 characters, so names of rooms and users go in as digests: replacing
the characters that are not allowed could give two rooms one group.
"""

from functools import lru_cache
from hashlib import blake2b


def _digest(name: str) -> str:
    return blake2b(name.encode(), digest_size=20).hexdigest()


@lru_cache(maxsize=16_384)
def room_sockets(room: str) -> str:
    """The group of all sockets that hear a room."""
    return f"room.{_digest(room)}"


@lru_cache(maxsize=16_384)
def room_watchers(kind: str, room: str) -> str:
    """The group of the sockets that asked for one kind of events about a room's members, such as `presence`."""
    return f"{kind}.{_digest(room)}"


@lru_cache(maxsize=16_384)
def chat_sockets(user: str) -> str:
    """The group of all sockets of a user that speak chat."""
    return f"user.{_digest(user)}"


@lru_cache(maxsize=16_384)
def call_sockets(user: str) -> str:
    """The group of all sockets of a user that speak matchmaking."""
    return f"tabs.{_digest(user)}"


@lru_cache(maxsize=16_384)
def call_holder(user: str) -> str:
    """The group of the one socket that holds the user's side of a call, or their place in the pool."""
    return f"caller.{_digest(user)}"
