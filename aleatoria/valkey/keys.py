"""The families of keys that this server keeps in Valkey. Each store declares its own; operators' tools read all."""

import re
from typing import NamedTuple

_GLOB = re.compile(r"([*?\[\]\\])")


class Kind(NamedTuple):
    """A family of keys: those that start with `prefix`, or the one key `prefix` when it does not end with a colon."""

    prefix: str
    type: str
    """What Valkey's TYPE says of such a key."""
    holds: str
    """What such a key holds, for a person to read."""

    def covers(self, key: str) -> bool:
        """Whether a key is of this family."""
        return key.startswith(self.prefix) if self.prefix.endswith(":") else key == self.prefix


kinds: list[Kind] = []


def own(prefix: str, kind: str, holds: str) -> str:
    """Declare a family of keys; returns its prefix."""
    kinds.append(Kind(prefix, kind, holds))
    return prefix


def kind_of(key: str) -> Kind | None:
    """The family of a key; None when no store has declared it."""
    return next((kind for kind in kinds if kind.covers(key)), None)


def literally(text: str) -> str:
    """A pattern for SCAN that matches just this text."""
    return _GLOB.sub(r"\\\1", text)
