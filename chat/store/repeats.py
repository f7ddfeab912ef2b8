"""Messages that are sent again under the same `messageId`: `sent:{user}:{messageId}`, a string for five minutes.

A client that has lost its connection cannot know whether its last messages arrived. It sends them again, maybe to
another process, and they count once. The mark is set in the same step that keeps the message.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

from aleatoria.valkey import keys

KEY = keys.own("sent:", "string", "a message that may be sent again under the same id")
LASTS = 300.0
"""Seconds."""
LASTS_MILLISECONDS = int(LASTS * 1000)
MAX_REMEMBERED = 100_000


class Mark(NamedTuple):
    """That a user has sent a message under an id."""

    key: str
    value: str
    """The message's createTime and a digest of what it says and to whom."""

    @classmethod
    def of(cls, user: str, message_id: str, created: str, *said: bytes) -> "Mark":
        """A new mark of a message that says this."""
        digest = blake2b(b"\0".join(said), digest_size=8).hexdigest()
        # A user id has no colon, so the key can be read in one way only.
        return cls(f"{KEY}{user}:{message_id}", f"{created} {digest}")

    def created_if_same(self, earlier: str) -> str:
        """The createTime of the message with the mark `earlier`, or "" when that says something else."""
        created, _, digest = earlier.partition(" ")
        return created if digest == self.value.partition(" ")[2] else ""


class SentHere:
    """What this process has seen sent: enough to tell most repeats at once, and all there is while Valkey is away."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._marks: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def earlier(self, key: str) -> str:
        """The mark that was remembered under this key, or ""."""
        until, mark = self._marks.get(key, (0.0, ""))
        return mark if until > self._clock() else ""

    def forget(self) -> None:
        """Have seen nothing."""
        self._marks.clear()

    def remember(self, key: str, mark: str) -> None:
        """A message was sent under this key, with this mark."""
        now = self._clock()
        if self.earlier(key):
            return
        self._marks[key] = (now + LASTS, mark)
        self._marks.move_to_end(key)
        while self._marks and (len(self._marks) > MAX_REMEMBERED or next(iter(self._marks.values()))[0] <= now):
            self._marks.popitem(last=False)
