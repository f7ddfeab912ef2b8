"""How much one socket may ask for: a token bucket per rate, and a limit on malformed frames.

Each app declares its rates in its `rates.py` and passes them to `handles`. `OTHER` is the rate of all other handlers.
"""

import math
from collections import deque
from dataclasses import dataclass

EARLY = 1e-7
"""Seconds by which a request may come before its token is due. Adding times as floats loses less than this, so a client
that waits exactly as long as it is told is let through."""
FLOOD_FACTOR = 10
MALFORMED_FRAMES, MALFORMED_WITHIN = 20, 60.0


@dataclass(frozen=True, eq=False, slots=True)
class Rate:
    """A limit on requests per socket: `per_second` on average, and up to `burst` at once after a pause.

    Handlers that share a rate object share its bucket. `name` is what docs/protocol.md calls the rate.
    """

    name: str
    per_second: float
    burst: int


OTHER = Rate("other", 50, 100)
"""The rate of requests that cost next to nothing, and of unknown types."""


class Flooding(Exception):
    """A socket keeps sending at ten times a rate, so it is closed."""


class Bucket:
    """A bucket of tokens that refills at a rate. Times are seconds on any steady clock."""

    __slots__ = ("_at", "_burst", "_needed", "_per_second", "_tokens")

    def __init__(self, rate: Rate, now: float, *, factor: int = 1) -> None:
        self._per_second = rate.per_second * factor
        self._burst = rate.burst * factor
        self._needed = 1 - EARLY * self._per_second
        self._tokens = float(self._burst)
        self._at = now

    def take(self, now: float) -> float:
        """Take a token and return 0.0; if there is none, return the seconds until there is one."""
        wait = self.wait(now)
        if not wait:
            self._tokens -= 1
        return wait

    def wait(self, now: float) -> float:
        """Return the seconds until there is a token, 0.0 if there is one. Takes none."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens >= self._needed:
            return 0.0
        return (1 - self._tokens) / self._per_second


class Limits:
    """What one socket has used up of its limits."""

    __slots__ = ("_buckets", "_malformed")

    def __init__(self) -> None:
        self._buckets: dict[Rate, tuple[Bucket, Bucket]] = {}
        self._malformed: deque[float] = deque(maxlen=MALFORMED_FRAMES)

    def wait(self, rate: Rate, now: float) -> float:
        """Count a request: 0.0 if it may go on, else the seconds after which it may, rounded up to milliseconds.

        Raises Flooding when the socket exceeds ten times the rate.
        """
        buckets = self._buckets.get(rate)
        if buckets is None:
            buckets = self._buckets[rate] = Bucket(rate, now), Bucket(rate, now, factor=FLOOD_FACTOR)
        bucket, flood_bucket = buckets
        if flood_bucket.take(now):
            raise Flooding
        wait = bucket.take(now)
        if not wait:
            return 0.0
        # The request is refused a second time unless both buckets hold a token by then.
        wait = max(wait, flood_bucket.wait(now))
        # Half of EARLY makes up for rounding here, the other half for rounding in the next `take`.
        return math.ceil((wait - EARLY / 2) * 1000) / 1000

    def malformed_too_often(self, now: float) -> bool:
        """Count a malformed frame and return whether it is the twentieth within a minute."""
        self._malformed.append(now)
        return len(self._malformed) == MALFORMED_FRAMES and now - self._malformed[0] < MALFORMED_WITHIN
