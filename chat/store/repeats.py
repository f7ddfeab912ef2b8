"""Messages that are sent again under the same `messageId`: `sent:{user}:{messageId}`, a string for five minutes.

A client that has lost its connection cannot know whether its last messages arrived. It sends them again, maybe to
another process, and each counts once. The script that keeps a message also sets its mark.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

from aleatoria.valkey import keys

KEY = keys.own("sent:", "string", "a message that may be sent again under the same id")
LASTS = 300.0
"""Seconds for which a mark is kept."""
LASTS_MILLISECONDS = int(LASTS * 1000)
MAX_REMEMBERED = 100_000
"""Marks that a process remembers; beyond that it forgets the oldest."""


class Mark(NamedTuple):
    """A record that a user has sent a message under an id."""

    key: str
    value: str
    """The message's createTime and a digest of what it says and to whom."""

    @classmethod
    def of(cls, user: str, message_id: str, created: str, *said: bytes) -> "Mark":
        """The mark of a new message. `said` is what the message says and to whom."""
        digest = blake2b(b"\0".join(said), digest_size=8).hexdigest()
        # A user id has no colon, so the key can be read in one way only.
        return cls(f"{KEY}{user}:{message_id}", f"{created} {digest}")

    def created_if_same(self, first: "Mark") -> str:
        """The createTime of the message with the mark `first`; "" when that message says something else."""
        created, _, digest = first.value.partition(" ")
        return created if digest == self.value.partition(" ")[2] else ""


class Kept(NamedTuple):
    """The outcome of keeping a message: it is kept now, or was kept before."""

    first: Mark | None
    """The mark under which the same message was kept before; None when it is kept now for the first time."""

    @classmethod
    def under(cls, mark: Mark | None, reply: bytes) -> "Kept":
        """The outcome from a script's reply: the value of the first mark of this user and id, or nothing."""
        return cls(mark._replace(value=reply.decode()) if mark and reply else None)


class SentHere:
    """The marks that this process has seen. They tell most repeats without Valkey, and are all there is without it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._marks: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def first(self, mark: Mark) -> Mark | None:
        """The first mark with the same user and id that this process has seen, or None."""
        until, value = self._marks.get(mark.key, (0.0, ""))
        return mark._replace(value=value) if until > self._clock() else None

    def remember(self, mark: Mark) -> None:
        """Remember a mark, unless an earlier one with the same user and id is remembered."""
        now = self._clock()
        if self.first(mark):
            return
        self._marks[mark.key] = (now + LASTS, mark.value)
        self._marks.move_to_end(mark.key)
        while self._marks and (len(self._marks) > MAX_REMEMBERED or next(iter(self._marks.values()))[0] <= now):
            self._marks.popitem(last=False)
