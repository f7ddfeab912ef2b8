"""Conversations of two users as they are in Valkey."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import redis

from aleatoria.operators.stats import ask_all, asking, found
from aleatoria.valkey.keys import literally
from aleatoria.wire import names
from chat.store import direct_history
from chat.store.line import created_in


class ConversationStats(msgspec.Struct, frozen=True):
    """The numbers of a conversation of two users."""

    one: str
    other: str
    messages: int
    newest: datetime | None
    """When the newest message was sent. None without messages, or when its line is broken."""
    memory_bytes: int
    expires_in_seconds: int


def conversation_stats(client: redis.Redis, pairs: Sequence[tuple[str, str]]) -> list[ConversationStats]:
    """Return the numbers of the conversations of these pairs of users, in this order."""
    stored = [direct_history.key(*pair) for pair in pairs]
    sizes = ask_all(client, (asking("llen", key) for key in stored))
    newest = ask_all(client, (asking("lindex", key, -1) for key in stored))
    memory = ask_all(client, (asking("memory_usage", key) for key in stored))
    expiry = ask_all(client, (asking("pttl", key) for key in stored))
    return [
        ConversationStats(*pair, size, _created(line), used or 0, max(0, left) // 1000)
        for pair, size, line, used, left in zip(pairs, sizes, newest, memory, expiry, strict=True)
    ]


def conversations_of(client: redis.Redis, user: str) -> list[tuple[str, str]]:
    """Return the conversations of a user as pairs of the user and the other user."""
    ends = (f"{literally(user)}:*", f"*:{literally(user)}")
    stored = {key for end in ends for key in client.scan_iter(match=f"{direct_history.PREFIX}{end}", count=1000)}
    pairs = (key.decode(errors="backslashreplace").split(":")[1:] for key in stored)
    others = (pair[1] if pair[0] == user else pair[0] for pair in pairs if len(pair) == 2)
    return sorted((user, other) for other in others if names.is_user_id(other))


def count_conversations(client: redis.Redis) -> int:
    """Return the number of conversations."""
    return sum(1 for _ in found(client, direct_history.PREFIX))


def last_between(client: redis.Redis, one: str, other: str, count: int) -> list[bytes]:
    """Return the last `count` stored lines of a conversation, oldest first."""
    return client.lrange(direct_history.key(one, other), -count, -1) if count else []  # type: ignore[return-value]


def _created(line: bytes | None) -> datetime | None:
    try:
        return datetime.fromisoformat(created_in(line or b""))
    except ValueError:
        return None
