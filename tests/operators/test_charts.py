"""Bar charts: what is drawn, and what is said to those who do not see it."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from aleatoria.operators import charts

HEIGHT = 100.0


class Bar(NamedTuple):
    """One bar, in the units of the drawing: y grows downwards."""

    x: float
    y: float
    width: float
    height: float
    title: str


def drawn(
    values: Sequence[float], title: str = "Cups an hour", starts: Sequence[str] | None = None
) -> ElementTree.Element:
    """The chart, which must be well-formed; its bars begin at 0:00, 1:00 and so on."""
    if starts is None:
        starts = [f"{place}:00" for place in range(len(values))]
    return ElementTree.fromstring(charts.bars(values, title=title, starts=starts, ends="now"))


def bars(values: Sequence[float]) -> list[Bar]:
    """The bars of the chart, from left to right."""
    return [_bar(rect) for rect in drawn(values).iter("rect")]


def _bar(rect: ElementTree.Element) -> Bar:
    x, y, width, height = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
    return Bar(x, y, width, height, rect.findtext("title", ""))


def picture(chart: ElementTree.Element) -> ElementTree.Element:
    """What is drawn, without what is written around it."""
    found = chart.find("svg")
    assert found is not None
    return found


def written(chart: ElementTree.Element) -> list[str]:
    """What is written under the chart, from left to right."""
    return [span.text or "" for span in chart.iterfind("div/span")]


# What is drawn


def test_bars_are_as_high_as_their_values_and_the_highest_fills_the_chart() -> None:
    assert [bar.height for bar in bars([1, 4, 2])] == [25, HEIGHT, 50]


@pytest.mark.parametrize("values", [[0.5], [1, 4, 2], [7] * 96], ids=["one", "several", "many"])
def test_bars_stand_on_the_floor(values: list[float]) -> None:
    assert {bar.y + bar.height for bar in bars(values)} == {HEIGHT}


@pytest.mark.parametrize("count", [1, 2, 24, 96])
def test_each_bar_has_a_place_of_its_own_within_the_chart(count: int) -> None:
    found = bars([1] * count)
    assert len(found) == count
    for place, bar in enumerate(found):
        assert place < bar.x < bar.x + bar.width < place + 1
    assert picture(drawn([1] * count)).attrib["viewBox"] == f"0 0 {count} 100"


def test_a_chart_is_as_wide_as_the_page_lets_it_be() -> None:
    assert picture(drawn([1])).attrib["preserveAspectRatio"] == "none"


@pytest.mark.parametrize("count", [1, 60])
def test_where_nothing_happened_no_bar_has_a_height(count: int) -> None:
    assert {(bar.y, bar.height) for bar in bars([0] * count)} == {(HEIGHT, 0.0)}


def test_without_values_a_chart_is_empty() -> None:
    chart = drawn([])
    assert list(chart.iter("rect")) == []
    assert written(chart) == ["", "", "now"]
    assert picture(chart).attrib["aria-label"] == "Cups an hour: at most 0."


def test_tiny_values_beside_huge_ones_are_drawn() -> None:
    low, high = bars([1, 1_000_000_000])
    assert 0 < low.height < 0.001
    assert high.height == HEIGHT


# What is written


def test_a_chart_has_a_name_for_those_who_do_not_see_it() -> None:
    svg = picture(drawn([1, 4, 2]))
    assert (svg.attrib["role"], svg.attrib["aria-label"]) == ("img", "Cups an hour: at most 4.")


def test_a_chart_has_a_caption_that_says_how_high_it_is() -> None:
    caption = drawn([1, 4, 2]).find("figcaption")
    assert caption is not None
    assert "".join(caption.itertext()) == "Cups an hour at most 4"


def test_each_bar_says_when_it_began_and_how_much_it_is() -> None:
    assert [bar.title for bar in bars([1, 4, 0])] == ["0:00: 1", "1:00: 4", "2:00: 0"]


def test_the_axis_says_where_the_chart_begins_where_its_middle_is_and_where_it_ends() -> None:
    assert written(drawn([1, 4, 2, 3])) == ["0:00", "2:00", "now"]


def test_the_axis_is_not_read_out() -> None:
    axis = drawn([1]).find("div")
    assert axis is not None
    assert axis.attrib["aria-hidden"] == "true"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1 / 15, "0.0667"),
        (3.0, "3"),
        (12.34, "12.3"),
        (99.97, "100"),
        (1234, "1234"),
        (98765.4, "98765"),
        (123_456_789, "123456789"),
    ],
)
def test_numbers_are_short_and_large_ones_have_no_exponent(value: float, text: str) -> None:
    (bar,) = bars([value])
    assert bar.title == f"0:00: {text}"


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", '"onload="alert(1)', "' & \"", "a</title><b>", "\u8336 \U0001f375", "{} {0} %s"],
    ids=["a script", "an attribute", "quotes", "a tag", "unicode", "placeholders"],
)
def test_whatever_is_in_a_title_is_text(text: str) -> None:
    chart = drawn([1], title=text, starts=[text])
    assert picture(chart).attrib["aria-label"] == f"{text}: at most 1."
    assert [title.text for title in chart.iter("title")] == [f"{text}: 1"]
    assert written(chart) == [text, text, "now"]
    tags = {element.tag for element in chart.iter()}
    assert tags == {"figure", "figcaption", "span", "svg", "rect", "title", "div"}
    assert set(picture(chart).attrib) == {"viewBox", "preserveAspectRatio", "role", "aria-label"}
