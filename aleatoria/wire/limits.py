"""How much one socket may ask for: token buckets, and the patience for malformed frames (issue "Chat", part 5)."""

import math
from collections import deque
from typing import NamedTuple


class Rate(NamedTuple):
    """So many a second, and so many at once after a pause."""

    per_second: float
    burst: int


class Flooding(Exception):
    """The socket goes on at ten times what it may."""


RATES = {
    "message": Rate(10, 20),
    "join": Rate(5, 20),
    "history": Rate(5, 20),
    "typing": Rate(5, 10),
    "request": Rate(2, 5),
    "description": Rate(5, 5),
    "candidate": Rate(50, 50),
    # What costs next to nothing to answer.
    "other": Rate(50, 100),
}
FLOOD_FACTOR = 10
MALFORMED_FRAMES, MALFORMED_WITHIN = 20, 60.0


class Bucket:
    """Tokens that refill at a rate; times are seconds on any steady clock."""

    __slots__ = ("_at", "_rate", "_tokens")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._at = now

    def take(self, now: float) -> float:
        """0 when a token was there and is taken, else the seconds until there is one."""
        self._tokens = min(self._rate.burst, self._tokens + (now - self._at) * self._rate.per_second)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate.per_second


class Limits:
    """What one socket has used up."""

    __slots__ = ("_buckets", "_malformed")

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[Bucket, Bucket]] = {}
        self._malformed: deque[float] = deque(maxlen=MALFORMED_FRAMES)

    def wait(self, kind: str, now: float) -> float:
        """0 when the request may go on, else the seconds to wait, rounded up; Flooding at ten times the rate."""
        if kind not in self._buckets:
            rate = RATES[kind]
            flood = Rate(rate.per_second * FLOOD_FACTOR, rate.burst * FLOOD_FACTOR)
            self._buckets[kind] = Bucket(rate, now), Bucket(flood, now)
        bucket, flood_bucket = self._buckets[kind]
        if flood_bucket.take(now):
            raise Flooding
        return math.ceil(bucket.take(now) * 1000) / 1000

    def malformed_too_often(self, now: float) -> bool:
        """Count one malformed frame; whether it was the twentieth within a minute."""
        self._malformed.append(now)
        return len(self._malformed) == MALFORMED_FRAMES and now - self._malformed[0] < MALFORMED_WITHIN
