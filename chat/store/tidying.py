"""When a key that is written to has to be tidied: its expired messages are dropped and its own expiry is put off.

Doing so at each write costs more than the write. Once a second is enough, as expired messages are never read.
"""

import time

EVERY = 1.0
"""Seconds between two times a process tidies the same key."""
_MOST = 10_000
"""Keys that are remembered; beyond that all are forgotten, and are tidied once more often."""


class Tidying:
    """The keys that this process has tidied within the last second."""

    def __init__(self) -> None:
        self._done: dict[str, float] = {}

    def is_due(self, key: str) -> bool:
        """Whether the caller has to tidy this key now. If so, it counts as tidied from now on."""
        now = time.monotonic()
        if now - self._done.get(key, -EVERY) < EVERY:
            return False
        if len(self._done) >= _MOST:
            self._done.clear()
        self._done[key] = now
        return True
