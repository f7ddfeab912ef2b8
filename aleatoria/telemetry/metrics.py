"""What this process counts of itself, for Prometheus and for the totals of an hour and a day.

Instruments are plain integers on the hot path; a collector reads them when Prometheus asks. Each stands beside the code
that moves it, and says whether its total is kept. docs/operations.md lists them all.
"""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Histogram bounds for what takes milliseconds."""
BEYOND = "longer"
"""What a histogram's total of the observations above its last bound ends with."""

_registry = CollectorRegistry()
ProcessCollector(registry=_registry)
_totals: dict[str, Callable[[], int]] = {}
_facts: dict[str, "Gauge"] = {}


class Counter(Collector):
    """A number that only grows: `counter.count += 1`. `total` names the total that is kept of it, if one is."""

    def __init__(self, name: str, says: str, *, total: str = "") -> None:
        self.count = 0
        self._family = name, says
        _registry.register(self)
        if total:
            _totals[total] = lambda: self.count

    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily(*self._family, value=self.count)


class LabelledCounter(Collector):
    """Numbers that only grow, by the value of one label: `counter.by["timeout"] += 1`.

    The values are few and declared; what a client sends is never one. `totals` names, by the value of the label, the
    totals that are kept.
    """

    def __init__(
        self, name: str, says: str, label: str, values: Iterable[str], *, totals: Mapping[str, str] | None = None
    ) -> None:
        self.by: Tally[str] = Tally(dict.fromkeys(values, 0))
        self._family, self._label = (name, says), label
        _registry.register(self)
        for value, total in (totals or {}).items():
            _totals[total] = lambda value=value: self.by[value]  # type: ignore[misc] # the default binds the value

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(*self._family, labels=[self._label])
        for value, count in sorted(self.by.items()):
            family.add_metric([value], count)
        yield family


class Histogram(Collector):
    """How observations spread over `bounds`, and their sum.

    With `total`, a total is kept for each bound: `waits:0.5` counts what is at most 0.5 and above the bound before.
    """

    def __init__(self, name: str, says: str, bounds: Sequence[float], *, total: str = "") -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        """Observations up to each bound and above the one before; at the end those beyond the last."""
        self._sum = 0.0
        self._family = name, says
        _registry.register(self)
        for place, bound in enumerate([*self.bounds, BEYOND] if total else []):
            _totals[f"{total}:{bound}"] = lambda place=place: self.counts[place]  # type: ignore[misc] # as above

    def observe(self, value: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self._sum += value

    def collect(self) -> Iterable[Metric]:
        bounds = [*map(str, self.bounds), "+Inf"]
        buckets = list(zip(bounds, accumulate(self.counts), strict=True))
        yield HistogramMetricFamily(*self._family, buckets=buckets, sum_value=self._sum)


class Gauge(Collector):
    """A number that is read when somebody asks. The node sets `read`; until then it is 0.

    `fact` names the field of the process's report that holds it, if there is one.
    """

    def __init__(self, name: str, says: str, *, fact: str = "") -> None:
        self.read: Callable[[], float] = lambda: 0
        self._family = name, says
        _registry.register(self)
        if fact:
            _facts[fact] = self

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(*self._family, value=self.read())


def totals() -> dict[str, int]:
    """What has been counted since the process started, by the names of the totals that are kept."""
    return {total: read() for total, read in _totals.items()}


def facts() -> dict[str, int]:
    """What this process reports of itself now."""
    return {fact: int(gauge.read()) for fact, gauge in _facts.items()}


async def exposition(before: Iterable[Callable[[], Awaitable[None]]] = ()) -> bytes:
    """All instruments in Prometheus's text format. `before` is awaited first: it refreshes what has to be asked for."""
    for refresh in before:
        await refresh()
    return generate_latest(_registry)
