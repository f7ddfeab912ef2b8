"""Bar charts as inline SVG, coloured by the page's style sheet so that they suit every theme."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_HEIGHT = 100
_GAP = 0.15
"""Of a bar's width, to its neighbour."""


def bars(values: Sequence[float], *, title: str, starts: Sequence[str], ends: str) -> SafeString:
    """A chart of `values`, the oldest first: each is of what began at its moment in `starts`; all is over at `ends`."""
    top = max(values, default=0)
    drawn = [(_bar(place, value, top, starts[place]),) for place, value in enumerate(values)]
    shown = format_html_join("", "{}", drawn)
    says = f"{title}: at most {_number(top)}."
    return format_html(
        '<figure class="chart"><figcaption>{} <span>at most {}</span></figcaption>'
        '<svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
        '<div class="axis" aria-hidden="true"><span>{}</span><span>{}</span><span>{}</span></div></figure>',
        title,
        _number(top),
        max(1, len(values)),
        _HEIGHT,
        says,
        shown,
        starts[0] if starts else "",
        starts[len(starts) // 2] if starts else "",
        ends,
    )


def _bar(place: int, value: float, top: float, start: str) -> SafeString:
    height = _HEIGHT * value / top if top else 0.0
    return format_html(
        '<rect x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
        f"{place + _GAP / 2:g}",
        f"{_HEIGHT - height:g}",
        f"{1 - _GAP:g}",
        f"{height:g}",
        f"{start}: {_number(value)}",
    )


def _number(value: float) -> str:
    """For a person: never with an exponent where it is large."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
