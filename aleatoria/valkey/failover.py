"""Valkey or memory: the one place that decides which twin of a store is asked (design §6)."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from aleatoria.valkey.health import Health
from aleatoria.valkey.pipeline import Unavailable

Store = TypeVar("Store")
Result = TypeVar("Result")


class Failover(Generic[Store]):
    """A store and its memory twin. The law: while Valkey is away nothing raises, nothing waits."""

    def __init__(self, valkey: Store, memory: Store, health: Health) -> None:
        self.valkey = valkey
        self.memory = memory
        self._health = health

    async def use(self, call: Callable[[Store], Awaitable[Result]]) -> Result:
        """Ask Valkey; while it is away, ask memory."""
        if self._health.writable:
            try:
                return await call(self.valkey)
            except Unavailable:
                pass  # reported when it began; from here on memory answers
        return await call(self.memory)
