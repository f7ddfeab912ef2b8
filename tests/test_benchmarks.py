"""What the benchmark makes of its figures."""

import json
from xml.etree import ElementTree

import pytest

from benchmarks import charts, report
from benchmarks.report import Measured


def figures(cpu_us: float) -> dict[str, float]:
    return {"ops_a_second": 1e6 / cpu_us, "cpu_us": cpu_us, "p50_ms": 1.0, "p99_ms": 2.0, "rss_mib": 80.0}


@pytest.fixture
def measured() -> list[Measured]:
    costs = [("daphne", 100.0), ("ws", 50.0), ("daphne", 120.0), ("ws", 90.0), ("daphne", 110.0), ("ws", 55.0)]
    return [Measured(number // 2 + 1, name, "rooms", figures(cost)) for number, (name, cost) in enumerate(costs)]


def test_the_table_has_medians_and_their_ratio_to_ours(measured: list[Measured]) -> None:
    ours, other = report.table(measured).splitlines()[1:]
    assert ours.split()[-6:] == ["9091", "110", "1.00", "1.00", "2.00", "80.0"]
    assert other.split()[-6:] == ["18182", "55.0", "0.50", "1.00", "2.00", "80.0"]


def test_a_contender_without_ours_beside_it_has_no_ratio(measured: list[Measured]) -> None:
    assert "ratio" not in report.medians([one for one in measured if one.contender == "ws"])["rooms", "ws"]


def test_the_json_has_every_round_and_the_medians(measured: list[Measured]) -> None:
    found = json.loads(report.as_json(measured, {"cores": 2}, rounds=3, seconds=4.0))
    assert [one["round"] for one in found["measured"]] == [1, 1, 2, 2, 3, 3]
    assert {one["contender"]: one["cpu_us"] for one in found["medians"]} == {"daphne": 110.0, "ws": 55.0}


def test_a_chart_is_svg_with_a_bar_each_to_scale(measured: list[Measured]) -> None:
    chart = ElementTree.fromstring(charts.chart(report.medians(measured), ["rooms", "direct"], "cpu_us", "CPU"))
    ours, other = (float(bar.attrib["width"]) for bar in chart.iter("{http://www.w3.org/2000/svg}rect"))
    assert other == pytest.approx(ours / 2, abs=0.1)
