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

    def created_if_same(self, first: "Mark") -> str:
        """The createTime of the message with the mark `first`, or "" when that message says something else."""
        created, _, digest = first.value.partition(" ")
        return created if digest == self.value.partition(" ")[2] else ""


class Kept(NamedTuple):
    """What became of a message that was to be kept."""

    first: Mark | None
    """The mark under which the same message was kept before; None: it was not, and now it is."""

    @classmethod
    def under(cls, mark: Mark | None, reply: bytes) -> "Kept":
        """From the reply of a script that keeps a message under a mark: the value of the first mark, or nothing."""
        return cls(mark._replace(value=reply.decode()) if mark and reply else None)


class SentHere:
    """What this process has seen sent: enough to tell most repeats at once, and all there is while Valkey is away."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._marks: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def first(self, mark: Mark) -> Mark | None:
        """The mark that was remembered of the same user and id, or None."""
        until, value = self._marks.get(mark.key, (0.0, ""))
        return mark._replace(value=value) if until > self._clock() else None

    def forget(self) -> None:
        """Have seen nothing."""
        self._marks.clear()

    def remember(self, mark: Mark) -> None:
        """A message was sent with this mark. The first one of a user and an id stays."""
        now = self._clock()
        if self.first(mark):
            return
        self._marks[mark.key] = (now + LASTS, mark.value)
        self._marks.move_to_end(mark.key)
        while self._marks and (len(self._marks) > MAX_REMEMBERED or next(iter(self._marks.values()))[0] <= now):
            self._marks.popitem(last=False)
