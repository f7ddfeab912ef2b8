"""Functions that write to Valkey what it would hold if users had done something."""

import time
from datetime import UTC, datetime, timedelta

import redis

from tests.support.histories import History, wire


def enters(keys: redis.Redis, room: str, *users: str) -> None:
    """Make users members of a room."""
    with keys.pipeline() as at_once:  # a running server removes members whose rooms do not include it
        for key, members in [(f"room:members:{room}", users), *((f"user:rooms:{user}", [room]) for user in users)]:
            at_once.sadd(key, *members)
            at_once.expire(key, 86_400)
        at_once.execute()


def comes_online(keys: redis.Redis, *users: str, seconds: float = 25) -> None:
    """Make users online for so many seconds."""
    keys.zadd("users:online", {user: time.time() + seconds for user in users})
    keys.expire("users:online", 60)


def said(keys: redis.Redis, room: str, *contents: str, ago: timedelta = timedelta(seconds=30)) -> None:
    """Store messages of ana, the first so long ago and each next one a microsecond later."""
    history = History("get_recent_messages", "recent_messages", {"room": room}, {"room": room}, f"room:messages:{room}")
    begin = datetime.now(UTC) - ago
    for place, content in enumerate(contents):
        history.plant(keys, history.line(content, wire(begin + timedelta(microseconds=place))))


def waits(keys: redis.Redis, *users: str, seconds: float = 40) -> None:
    """Put users into the pool, with a lease of so many seconds."""
    with keys.pipeline() as at_once:
        at_once.sadd("available:webrtc", *users)
        at_once.zadd("{available:webrtc}:leases", {user: time.time() + seconds for user in users})
        _expire_pool(at_once)
        at_once.execute()


def call(keys: redis.Redis, asked: str, chosen: str) -> None:
    """Put two users into a call."""
    with keys.pipeline() as at_once:
        at_once.hset("{available:webrtc}:pairs", mapping={asked: chosen, chosen: asked})
        at_once.sadd("{available:webrtc}:callers", asked)
        at_once.zadd("{available:webrtc}:leases", {user: time.time() + 40 for user in (asked, chosen)})
        _expire_pool(at_once)
        at_once.execute()


def _expire_pool(keys: redis.Redis) -> None:
    for key in ("available:webrtc", *(f"{{available:webrtc}}:{name}" for name in ("leases", "pairs", "callers"))):
        keys.expire(key, 3600)


def counted(keys: redis.Redis, ago: timedelta = timedelta(0), **counts: int) -> None:
    """Write totals of a moment. In the names an underscore means a space, and two mean a colon."""
    then = datetime.now(UTC) - ago
    named = {name.replace("__", ":").replace("_", " "): count for name, count in counts.items()}
    for key in (f"stats:hour:{then:%Y%m%d%H}", f"stats:day:{then:%Y%m%d}"):
        keys.hset(key, mapping=named)  # type: ignore[arg-type] # numbers are fine
        keys.expire(key, 3600)


def three_rooms(keys: redis.Redis) -> None:
    """Make three rooms whose order differs from column to column."""
    two_hours, minute, hour = timedelta(hours=2), timedelta(minutes=1), timedelta(hours=1)
    enters(keys, "attic", "ana", "bob", "cam")
    said(keys, "attic", "x" * 700, "y" * 700, ago=two_hours)
    enters(keys, "Cellar", "dan")
    said(keys, "Cellar", "hello", "you", "there", ago=hour)
    enters(keys, "garden", "eve", "fay")
    said(keys, "garden", "z" * 5000, ago=minute)
    comes_online(keys, "dan", "eve", "fay")
    for room, seconds in {"attic": 30_000, "Cellar": 10_000, "garden": 20_000}.items():
        keys.expire(f"room:members:{room}", seconds)
        keys.expire(f"room:messages:{room}", seconds - 100)


def something_of_all(keys: redis.Redis) -> None:
    """Write something for each action of the admin to change."""
    enters(keys, "attic", "ana", "bob")
    said(keys, "attic", "hello")
    waits(keys, "bob", "cam")
