"""Bar charts as inline SVG. The page's style sheet sets their colors, so that they suit every theme."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_HEIGHT = 100
_GAP = 0.15
"""Between two bars, as a share of a bar's width."""


def bars(values: Sequence[float], *, title: str, starts: Sequence[str], ends: str) -> SafeString:
    """Return a chart of `values`, oldest first.

    `starts` holds the moment at which each value's stretch of time began. All of them are over at `ends`.
    """
    top = max(values, default=0)
    return format_html(
        '<figure class="chart"><figcaption>{} <span>at most {}</span></figcaption>'
        '<svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>{}</figure>',
        title,
        _number(top),
        max(1, len(values)),
        _HEIGHT,
        f"{title}: at most {_number(top)}.",
        format_html_join("", "{}", ((_bar(place, value, top, starts[place]),) for place, value in enumerate(values))),
        _axis(starts, ends),
    )


def _axis(starts: Sequence[str], ends: str) -> SafeString:
    return format_html(
        '<div class="axis" aria-hidden="true"><span>{}</span><span>{}</span><span>{}</span></div>',
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
    """Write a number for a person. Large numbers are written without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
