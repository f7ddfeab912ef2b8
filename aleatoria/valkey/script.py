"""Lua scripts that run in Valkey, each one atomically."""

from collections.abc import Sequence
from hashlib import sha1
from pathlib import Path
from typing import Any, ClassVar

import redis

from aleatoria.valkey.pipeline import Argument, PendingCommand


class Script:
    """A Lua file; its header names KEYS, ARGV and what it returns. A `prelude` holds what several files share."""

    all: ClassVar[list["Script"]] = []
    """Every script that is declared in this process. The link loads them into Valkey whenever it connects, so that a
    call sends a digest instead of the text. A declaration has no other effect."""

    def __init__(self, path: Path, prelude: Path | None = None) -> None:
        self.text = (prelude.read_text() if prelude else "") + path.read_text()
        self.sha = sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        Script.all.append(self)

    def call(self, keys: Sequence[str | bytes], *args: Argument) -> PendingCommand:
        """The command that runs this script."""
        return PendingCommand(("EVALSHA", self.sha, len(keys), *keys, *args), self.text)

    def apply(self, client: redis.Redis, keys: Sequence[str], *args: Argument) -> Any:
        """Run this script over a blocking client and return its result."""
        return client.eval(self.text, len(keys), *keys, *args)
