"""Reading `/metrics`, and by how much numbers have grown."""

from collections.abc import Callable
from typing import Any

from django.test import AsyncClient
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families


class At(AsyncClient):
    """A client that requests from an address. None stands for a Unix socket."""

    def __init__(self, address: str | None = "127.0.0.1") -> None:
        super().__init__()
        self._address = address

    def _base_scope(self, **request: Any) -> dict[str, Any]:
        scope: dict[str, Any] = super()._base_scope(**request)  # type: ignore[misc] # the stubs leave it out
        return scope | {"client": self._address and [self._address, 50_000]}

    async def asks(self, **headers: str) -> Any:
        """Request /metrics."""
        return await self.get("/metrics", headers={k.replace("_", "-"): headers[k] for k in headers})


def families(text: str) -> list[Metric]:
    """Parse the text as Prometheus does."""
    return list(text_string_to_metric_families(text))


def samples(text: str) -> dict[str, float]:
    """Return each number by its name, with the values of its labels in braces."""
    return {
        f"{sample.name}{{{','.join(sample.labels.values())}}}" if sample.labels else sample.name: sample.value
        for family in families(text)
        for sample in family.samples
    }


async def read() -> dict[str, float]:
    """Return the current numbers of this process."""
    return samples((await At().asks()).content.decode())


class Growth:
    """By how much numbers have grown since this was made."""

    def __init__(self, before: dict[str, float]) -> None:
        self._before = before

    async def of(self, *names: str) -> list[float]:
        """Return by how much each of these numbers has grown."""
        now = await read()
        return [now[name] - self._before.get(name, 0) for name in names]


Watch = Callable[[], Any]
