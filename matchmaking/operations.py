"""What those who run the server do to callers: blocking, for the admin and for commands."""

import math

import redis

from aleatoria.valkey.layer import announce
from aleatoria.wire import envelope, groups
from matchmaking import payloads
from matchmaking.store import pool


def withdraw(client: redis.Redis, user: str) -> None:
    """Take a user out of the pool; a call he is in goes on."""
    at = pool.WITHDRAW.apply(client, pool.KEYS, user)
    announce(client, groups.call_holder(user), {"type": "call.withdrawn", "at": at})


def quit_all(client: redis.Redis, user: str) -> None:
    """Take a user out of the pool and of the call he is in; the other one is told that he is gone."""
    freed, at = pool.QUIT.apply(client, pool.KEYS, user, math.inf)
    announce(client, groups.call_holder(user), {"type": "call.withdrawn", "at": at})
    if freed:
        peer = freed.decode()
        _end(client, peer, user, at)
        _end(client, user, peer, at)


def _end(client: redis.Redis, user: str, peer: str, at: int) -> None:
    frame = envelope.encode(payloads.hangup(peer, "disconnected", to=user))
    announce(client, groups.call_holder(user), {"type": "call.ended", "peer": peer, "frame": frame, "at": at})
