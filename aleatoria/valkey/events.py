"""How an event of the channel layer travels over pub/sub: a finished frame as text, any other through msgpack."""

from typing import Any

from channels_redis.serializers import registry
from django.conf import settings

Event = dict[str, Any]

FRAME = "websocket.send"
"""The type of an event that is a finished frame, in `text`."""
PREFIX = "aleatoria"
"""What the names of all pub/sub channels of this installation begin with."""
FRAME_MARK, EVENT_MARK = b"f", b"e"
"""What stands before a frame's text, and before any other event."""
_serializer: Any = registry.get_serializer("msgpack")


def frame(text: str) -> Event:
    """The event that puts a finished frame on the sockets of a group."""
    return {"type": FRAME, "text": text}


def packed(event: Event) -> bytes:
    """The bytes that stand behind the header of a publish."""
    if event["type"] == FRAME:
        return FRAME_MARK + str(event["text"]).encode()
    return EVENT_MARK + bytes(_serializer.serialize(event))


def unpacked(data: bytes) -> Event:
    """The event that `packed` gave."""
    if data[:1] == FRAME_MARK:
        return frame(data[1:].decode())
    event: Event = _serializer.deserialize(data[1:])
    return event


def channel_prefix(prefix: str = PREFIX) -> str:
    """What the name of each pub/sub channel begins with.

    Pub/sub knows no databases: the database number keeps two installations on one Valkey apart.
    """
    return f"{prefix}:{settings.REDIS_DB}:"
