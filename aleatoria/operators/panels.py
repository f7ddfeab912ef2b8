"""What an app shows of its totals on the admin's page about Valkey. Each app declares a `Panels`.

A field is the name under which a metric keeps its totals, for example `messages`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.safestring import SafeString

from aleatoria.operators import charts
from aleatoria.operators.stats import Total


class Chart(NamedTuple):
    """A bar chart of the sum of some fields, one bar for each hour."""

    title: str
    fields: Sequence[str]


class Figures(NamedTuple):
    """A heading and the sums of some fields over the hours that are shown."""

    heading: str
    fields: dict[str, str]
    """The field by the label that it is shown with."""


class Column(NamedTuple):
    """A column of the table of days."""

    heading: str
    field: str


class Panels(NamedTuple):
    """Everything an app shows on the page. Each part is shown in the order in which it is declared."""

    charts: Sequence[Chart] = ()
    figures: Sequence[Figures] = ()
    columns: Sequence[Column] = ()


KERNEL = Panels(columns=[Column("Connections", "connections")])
"""What the kernel counts itself."""


class Day(NamedTuple):
    """A row of the table of days."""

    since: datetime
    counts: list[int]


def joined(some: Iterable[Panels]) -> Panels:
    """Return one Panels with the parts of all of them, in their order."""
    every = list(some)
    return Panels(
        [chart for one in every for chart in one.charts],
        [figures for one in every for figures in one.figures],
        [column for one in every for column in one.columns],
    )


def filled(panels: Panels, hours: Sequence[Total], days: Sequence[Total]) -> dict[str, Any]:
    """Return the template's context: the panels with their numbers, days without totals left out, newest first."""
    headings = [column.heading for column in panels.columns]
    fields = [column.field for column in panels.columns]
    return {
        "charts": [_drawn(chart, hours) for chart in panels.charts],
        "figures": [(one.heading, _sums(one, hours)) for one in panels.figures],
        "headings": headings,
        "days": [Day(day.since, [day.count(field) for field in fields]) for day in reversed(days) if day.counts],
    }


def by_hour(title: str, hours: Sequence[Total], *fields: str) -> SafeString:
    """Return a bar chart of the sum of these fields, one bar for each of the hours."""
    starts = [f"{hour.since:%H:%M}" for hour in hours]
    return charts.bars([hour.count(*fields) for hour in hours], title=title, starts=starts, ends="now (UTC)")


def _drawn(chart: Chart, hours: Sequence[Total]) -> SafeString:
    return by_hour(chart.title, hours, *chart.fields)


def _sums(figures: Figures, hours: Sequence[Total]) -> dict[str, int]:
    return {label: sum(hour.count(field) for hour in hours) for label, field in figures.fields.items()}
