"""What operators do to sockets, from the admin or a command: blocking, and heard by every process."""

import redis

from aleatoria.valkey.layer import announce
from aleatoria.wire import groups


def close_sockets(client: redis.Redis, user: str) -> None:
    """Close a user's sockets with 4403, in every process; a call they are in ends."""
    for group in (groups.chat_sockets(user), groups.call_sockets(user)):
        announce(client, group, {"type": "socket.close"})
