"""What this process counts of itself, for Prometheus: plain integers on the hot path, named when somebody asks.

Each instrument stands beside the code that moves it; docs/operations.md lists them all.
"""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Bounds for what should be quick."""

_registry = CollectorRegistry()
ProcessCollector(registry=_registry)

before_scrape: list[Callable[[], Awaitable[None]]] = []
"""Awaited before the gauges are read: what has to ask Valkey does so here. They must not take long."""


class Counter(Collector):
    """A number that only grows: `counter.count += 1`."""

    def __init__(self, name: str, says: str) -> None:
        self.count = 0
        self._family = name, says
        _registry.register(self)

    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily(*self._family, value=self.count)


class LabelledCounter(Collector):
    """Numbers that only grow, by the value of one label: `counter.by["timeout"] += 1`.

    The values are few and ours; what a client sends is never one.
    """

    def __init__(self, name: str, says: str, label: str, values: Iterable[str]) -> None:
        self.by: Tally[str] = Tally(dict.fromkeys(values, 0))
        self._family, self._label = (name, says), label
        _registry.register(self)

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(*self._family, labels=[self._label])
        for value, count in sorted(self.by.items()):
            family.add_metric([value], count)
        yield family


class Histogram(Collector):
    """How observations spread over `bounds`, and their sum."""

    def __init__(self, name: str, says: str, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        """Observations up to each bound and above the one before; at the end those beyond the last."""
        self._sum = 0.0
        self._family = name, says
        _registry.register(self)

    def observe(self, value: float) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self._sum += value

    def collect(self) -> Iterable[Metric]:
        bounds = [*map(str, self.bounds), "+Inf"]
        buckets = list(zip(bounds, accumulate(self.counts), strict=True))
        yield HistogramMetricFamily(*self._family, buckets=buckets, sum_value=self._sum)


class Gauge(Collector):
    """A number as it is when somebody asks."""

    def __init__(self, name: str, says: str, read: Callable[[], float]) -> None:
        self._read = read
        self._family = name, says
        _registry.register(self)

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(*self._family, value=self._read())


async def exposition() -> bytes:
    """All of them, as Prometheus reads them."""
    for prepare in before_scrape:
        await prepare()
    return generate_latest(_registry)
