"""What those who run the server do from the admin or a command: blocking, and heard by every process."""

import redis
from channels.layers import get_channel_layer

from aleatoria.valkey.channel import Event
from aleatoria.wire import groups


def announce(client: redis.Redis, group: str, event: Event) -> None:
    """Bring an event to a group, in all processes."""
    get_channel_layer().announce(client, group, event)


def close_sockets(client: redis.Redis, user: str) -> None:
    """Close a user's sockets with 4403, wherever they are; a call he is in ends."""
    for group in (groups.user(user), groups.tabs(user)):
        announce(client, group, {"type": "socket.close"})
