"""Actions of operators, from the admin or a command: blocking, and announced to every process."""

import redis
from channels.layers import get_channel_layer

from aleatoria.valkey.layer import Event
from aleatoria.wire import groups


def announce(client: redis.Redis, group: str, event: Event) -> None:
    """Send an event to a group, in every process."""
    get_channel_layer().announce(client, group, event)


def close_sockets(client: redis.Redis, user: str) -> None:
    """Close all sockets of a user with 4403, in every process. A call they are in ends."""
    for group in (groups.user(user), groups.tabs(user)):
        announce(client, group, {"type": "socket.close"})
