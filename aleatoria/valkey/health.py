"""Whether Valkey is there, as far as this process knows; every change is logged once and told to those who asked."""

import logging
import time
from collections.abc import Awaitable, Callable
from enum import Enum

from aleatoria.telemetry import metrics

logger = logging.getLogger(__name__)
_OUTAGES = metrics.Counter("aleatoria_valkey_outages", "Times that Valkey went away, or began to refuse writes.")


class State(Enum):
    """What Valkey can do for us."""

    UNKNOWN = "unknown"
    UP = "up"
    READ_ONLY = "read-only"
    """It answers and carries broadcasts, but refuses writes: full, a replica, no disk."""
    DOWN = "down"


class Health:
    """One process's view of one Valkey. Callbacks run at once and must not block."""

    def __init__(self) -> None:
        self.state = State.UNKNOWN
        self.since = time.time()
        self.back_at = 0.0
        """When the last outage ended, in seconds since 1970; 0 while there has been none."""
        self.on_lost: list[Callable[[], None]] = []
        """Called when things stop being UP."""
        self.on_down: list[Callable[[], None]] = []
        """Called when Valkey no longer answers."""
        self.on_back: list[Callable[[], Awaitable[None]]] = []
        """Called by the watchdog when they are UP, at the start too; what one does before it first waits comes before
        everything else."""

    @property
    def writable(self) -> bool:
        """Whether writes are worth trying."""
        return self.state is State.UP

    @property
    def reachable(self) -> bool:
        """Whether anything is worth trying."""
        return self.state is State.UP or self.state is State.READ_ONLY

    @property
    def degraded(self) -> bool:
        """Whether an outage is on, as far as is known."""
        return not self.writable

    def down(self, error: BaseException) -> None:
        """Valkey does not answer."""
        if self._enter(State.DOWN, error):
            for call in self.on_down:
                call()

    def read_only(self, error: BaseException) -> None:
        """Valkey answers, but refuses to write."""
        self._enter(State.READ_ONLY, error)

    async def up(self) -> None:
        """Valkey does all it should."""
        before, self.state = self.state, State.UP
        if before is State.UP:
            return
        self.since = time.time()
        if before is not State.UNKNOWN:
            self.back_at = self.since
            logger.info("Valkey/Redis is back. Messages are kept again from here on.")
        for call in self.on_back:
            await call()

    def _enter(self, state: State, error: BaseException) -> bool:
        before, self.state = self.state, state
        if before is state:
            return False
        if before in (State.UP, State.UNKNOWN):
            self.since = time.time()
            _OUTAGES.count += 1
        reason = str(error).rstrip(".") or type(error).__name__
        logger.warning("Valkey/Redis connection failed: %s. Will operate with degraded functionality.", reason)
        if before in (State.UP, State.UNKNOWN):
            for call in self.on_lost:
                call()
        return True
