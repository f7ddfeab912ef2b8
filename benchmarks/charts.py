"""SVG bar charts of the medians, for light and dark pages."""

from collections.abc import Iterable
from html import escape
from pathlib import Path

from benchmarks.contenders import CONTENDERS
from benchmarks.report import Measured, Medians, medians
from benchmarks.workloads import WORKLOADS

WIDTH, LEFT, RIGHT, BAR, GAP, HEAD = 760, 150, 70, 18, 6, 34
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .head { font-weight: 600; }
  .title { font-size: 15px; font-weight: 600; }
  .ours { fill: #0969da; }
  .other { fill: #8c959f; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .ours { fill: #4493f8; }
    .other { fill: #6e7681; }
  }
"""


def draw(measured: Iterable[Measured], directory: Path) -> None:
    """Write each chart as a file."""
    found, shown = medians(measured), [name for name, workload in WORKLOADS.items() if workload.in_chart]
    directory.mkdir(parents=True, exist_ok=True)
    texts = {
        "cpu.svg": chart(found, shown, "cpu_us", "CPU µs an operation, server and Valkey (shorter is better)"),
        "throughput.svg": chart(found, shown, "ops_a_second", "Operations a second (longer is better)"),
        "latency.svg": chart(found, ["latency"], "p99_ms", "99th percentile of latency in ms (shorter is better)"),
    }
    for name, text in texts.items():
        (directory / name).write_text(text)


def chart(found: Medians, workloads: Iterable[str], figure: str, title: str) -> str:
    """One group of bars a workload, each group to its own scale."""
    parts, y = [f'<text class="title" x="0" y="18">{escape(title)}</text>'], 30
    for workload in workloads:
        bars = [(name, found[workload, name][figure]) for name in CONTENDERS if (workload, name) in found]
        if bars:
            about = WORKLOADS[workload]
            parts.append(f'<text class="head" x="0" y="{y + 20}">{about.title}: a {about.operation}</text>')
            parts += _bars(bars, y + HEAD)
            y += HEAD + len(bars) * (BAR + GAP) + GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _bars(bars: list[tuple[str, float]], top: int) -> Iterable[str]:
    longest = max(value for _, value in bars) or 1.0
    for row, (name, value) in enumerate(bars):
        contender, y = CONTENDERS[name], top + row * (BAR + GAP)
        length = max(1.0, value / longest * (WIDTH - LEFT - RIGHT))
        number = f"{value:.0f}" if value >= 100 else f"{value:.1f}"
        yield f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{contender.title}</text>'
        kind = "ours" if contender.ours else "other"
        yield f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>'
        yield f'<text x="{LEFT + length + 6:.1f}" y="{y + 14}">{number}</text>'
