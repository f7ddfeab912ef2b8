"""The keys in Valkey that are ours. Each store registers its own, so that commands and the audit know them all."""

import re
from typing import NamedTuple

_GLOB = re.compile(r"([*?\[\]\\])")


class Kind(NamedTuple):
    """A family of keys: all that start with `prefix`, or the one that is it, when it does not end with a colon."""

    prefix: str
    type: str
    """As Valkey's TYPE says."""
    holds: str
    """For a person."""

    def covers(self, key: str) -> bool:
        """Whether the key is one of these."""
        return key.startswith(self.prefix) if self.prefix.endswith(":") else key == self.prefix


kinds: list[Kind] = []


def own(prefix: str, kind: str, holds: str) -> str:
    """Register a family of keys; its prefix."""
    kinds.append(Kind(prefix, kind, holds))
    return prefix


def kind_of(key: str) -> Kind | None:
    """The family of a key, None when it is not ours."""
    return next((kind for kind in kinds if kind.covers(key)), None)


def literally(text: str) -> str:
    """A pattern for SCAN that matches just this text."""
    return _GLOB.sub(r"\\\1", text)
