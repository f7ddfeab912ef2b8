"""Actions of operators, from the admin or a command: blocking, and announced to every process."""

import redis

from aleatoria.valkey.layer import announce
from aleatoria.wire import groups


def close_sockets(client: redis.Redis, user: str) -> None:
    """Close all sockets of a user with 4403, in every process. A call they are in ends."""
    for group in (groups.chat_sockets(user), groups.call_sockets(user)):
        announce(client, group, {"type": "socket.close"})
