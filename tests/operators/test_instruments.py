"""The instruments of the metrics by themselves: what each counts, and which totals and facts it gives."""

import pytest
from prometheus_client import CollectorRegistry

from aleatoria.telemetry import metrics
from aleatoria.telemetry.trace import Trace
from tests.support.metrics import samples


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No instruments but those of the test."""
    monkeypatch.setattr(metrics, "_registry", CollectorRegistry())
    monkeypatch.setattr(metrics, "_totals", {})
    monkeypatch.setattr(metrics, "_facts", {})


async def shown() -> dict[str, float]:
    """What Prometheus is shown."""
    return samples((await metrics.exposition()).decode())


async def test_a_histogram_counts_up_to_each_bound_and_that_included() -> None:
    waits = metrics.Histogram("waits", "Waits.", (1, 2, 5), total="waits")
    for value in (0.5, 1, 1.5, 2, 2, 5, 6, 70):
        waits.observe(value)
    assert await shown() == {
        "waits_bucket{1}": 2,
        "waits_bucket{2}": 5,
        "waits_bucket{5}": 6,
        "waits_bucket{+Inf}": 8,
        "waits_count": 8,
        "waits_sum": 88,
    }
    assert metrics.totals() == {"waits:1": 2, "waits:2": 3, "waits:5": 1, "waits:longer": 2}


async def test_a_labelled_counter_shows_each_value_from_the_start_and_totals_of_those_named() -> None:
    ends = metrics.LabelledCounter(
        "ends", "Ends.", "why", ("left", "lost", "cut"), totals={"lost": "losses", "cut": "cuts"}
    )
    assert await shown() == {"ends_total{cut}": 0, "ends_total{left}": 0, "ends_total{lost}": 0}
    ends.by["left"] += 3
    ends.by["lost"] += 2
    ends.by["cut"] += 1
    assert await shown() == {"ends_total{cut}": 1, "ends_total{left}": 3, "ends_total{lost}": 2}
    assert metrics.totals() == {"losses": 2, "cuts": 1}


async def test_a_counter_gives_the_total_that_it_names_or_none() -> None:
    one, other = metrics.Counter("one", "One.", total="the ones"), metrics.Counter("other", "Other.")
    one.count += 2
    other.count += 3
    assert await shown() == {"one_total": 2, "other_total": 3}
    assert metrics.totals() == {"the ones": 2}


async def test_a_gauge_is_read_when_somebody_asks_and_is_a_fact_if_it_names_one() -> None:
    level, hidden = metrics.Gauge("level", "Level.", fact="how high"), metrics.Gauge("hidden", "Hidden.")
    assert await shown() == {"level": 0, "hidden": 0}
    level.read, hidden.read = lambda: 7.0, lambda: 9.0
    assert await shown() == {"level": 7, "hidden": 9}
    assert metrics.facts() == {"how high": 7}


async def test_what_has_to_be_asked_for_is_refreshed_before_it_is_read() -> None:
    level, known = metrics.Gauge("level", "Level."), [0.0]
    level.read = lambda: known[0]

    async def refresh() -> None:
        known[0] += 1

    for number in (1, 2):
        assert samples((await metrics.exposition([refresh])).decode()) == {"level": number}


def test_connections_have_names_of_their_own() -> None:
    assert len({Trace().connection for _ in range(1000)}) > 990
