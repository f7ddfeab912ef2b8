"""When a key that is written to is to be tidied again: what has expired dropped, its own expiry put off.

Doing so at each write costs more than the write. Once a second is enough: what has expired is not read in any case.
"""

import time

EVERY = 1.0
"""Seconds."""
_MOST = 10_000


class Tidying:
    """Which keys this process has tidied within the last second."""

    def __init__(self) -> None:
        self._done: dict[str, float] = {}

    def forget(self) -> None:
        """Have tidied nothing."""
        self._done.clear()

    def is_due(self, key: str) -> bool:
        """Whether to tidy it now; then it is taken to have been."""
        now = time.monotonic()
        if now - self._done.get(key, -EVERY) < EVERY:
            return False
        if len(self._done) >= _MOST:
            self._done.clear()
        self._done[key] = now
        return True
