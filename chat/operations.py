"""Actions of operators on rooms and conversations: blocking, for the admin and the commands."""

from collections.abc import Iterable

import redis

from aleatoria.operators.stats import found
from aleatoria.valkey import events
from aleatoria.valkey.layer import announce
from aleatoria.wire import envelope, groups
from chat import payloads
from chat.store import direct_history, membership, room_history
from chat.store.conversations import read_key
from chat.store.direct_history import conversations_key
from chat.store.line import is_from
from chat.store.membership import members_key, rooms_key


def clear_history(client: redis.Redis, room: str) -> int:
    """Delete all messages of a room. Returns how many there were."""
    key = room_history.key(room)
    count = client.zcard(key)
    client.unlink(key)
    return int(count)


def remove_member(client: redis.Redis, room: str, user: str) -> None:
    """Remove a member from a room. Their sockets leave the room and get `room_left`, as if they had left."""
    membership.LEAVE.apply(client, [rooms_key(user), members_key(room)], user, room)
    announce(client, groups.chat_sockets(user), {"type": "room.left", "room": room, "by": ""})
    frame = envelope.encode(payloads.room_left(room))
    announce(client, groups.chat_sockets(user), events.frame(frame))


def remove_room(client: redis.Redis, room: str) -> None:
    """Remove all members of a room and delete its messages."""
    for user in list(client.sscan_iter(members_key(room), count=1000)):
        remove_member(client, room, user.decode())
    clear_history(client, room)


def forget_conversation(client: redis.Redis, one: str, other: str) -> int:
    """Delete the conversation of two users. Returns how many messages it had."""
    key = direct_history.key(one, other)
    with client.pipeline(transaction=True) as forgetting:
        forgetting.llen(key)
        forgetting.unlink(key)
        for user, peer in ((one, other), (other, one)):
            forgetting.zrem(conversations_key(user), peer)
            forgetting.hdel(read_key(user), peer)
        count, *_ = forgetting.execute()
    return int(count)


def said_by(client: redis.Redis, user: str) -> Iterable[tuple[str, list[bytes]]]:
    """Yield each room that holds messages of a user, with their lines. This reads all messages of all rooms."""
    for room in found(client, room_history.PREFIX):
        lines = [line for line, _ in client.zscan_iter(room_history.key(room), count=1000) if is_from(line, user)]
        if lines:
            yield room, lines


def forget_lines(client: redis.Redis, room: str, lines: list[bytes]) -> None:
    """Delete these lines of a room."""
    for start in range(0, len(lines), 500):
        client.zrem(room_history.key(room), *lines[start : start + 500])
