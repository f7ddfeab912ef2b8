"""The one place that decides whether the Valkey twin or the memory twin of a store is asked."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from aleatoria.valkey.health import Health
from aleatoria.valkey.pipeline import Unavailable

Store = TypeVar("Store")
Result = TypeVar("Result")


class Failover(Generic[Store]):
    """A store and its memory twin. While Valkey is away no call raises an error for that, and none waits for it."""

    def __init__(self, valkey: Store, memory: Store, health: Health) -> None:
        self.valkey = valkey
        self.memory = memory
        self._health = health

    async def use(self, call: Callable[[Store], Awaitable[Result]]) -> Result:
        """The result of `call` on the Valkey twin; while Valkey is away, on the memory twin."""
        if self._health.writable:
            try:
                return await call(self.valkey)
            except Unavailable:
                pass  # the outage was logged when it began; now memory answers
        return await call(self.memory)
