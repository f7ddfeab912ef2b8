"""Actions of operators on users of random calls: blocking, for the admin and the commands."""

import math

import redis

from aleatoria.valkey.layer import announce
from aleatoria.wire import envelope, groups
from matchmaking import payloads
from matchmaking.store import pool


def withdraw(client: redis.Redis, user: str) -> None:
    """Remove a user from the pool. A call they are in goes on."""
    at = pool.WITHDRAW.apply(client, pool.KEYS, user)
    announce(client, groups.call_holder(user), {"type": "call.withdrawn", "at": at})


def quit_all(client: redis.Redis, user: str) -> None:
    """Remove a user from the pool and end their call. Their peer gets `hangup` with the reason `disconnected`."""
    freed, at = pool.QUIT.apply(client, pool.KEYS, user, math.inf)
    announce(client, groups.call_holder(user), {"type": "call.withdrawn", "at": at})
    if freed:
        peer = freed.decode()
        _end(client, peer, user, at)
        _end(client, user, peer, at)


def _end(client: redis.Redis, user: str, peer: str, at: int) -> None:
    frame = envelope.encode(payloads.hangup(peer, "disconnected", to=user))
    announce(client, groups.call_holder(user), {"type": "call.ended", "peer": peer, "frame": frame, "at": at})
