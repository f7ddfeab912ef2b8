"""Medians of what was measured: as a table for people, and as JSON."""

import json
import statistics
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from benchmarks.contenders import CONTENDERS
from benchmarks.workloads import WORKLOADS

BASE = "daphne"
"""The one whom ratios refer to: ours as users run it by default."""
DISTURBED = 0.2
"""So much of a core taken by processes that are no part of it spoils a figure."""
HEADER = ("workload", "contender", "ops/s", "CPU µs/op", "ratio", "p50 ms", "p99 ms", "RSS MiB", "")


class Measured(NamedTuple):
    """What one round of a workload on a contender gave."""

    round: int
    contender: str
    workload: str
    figures: Mapping[str, float]


Medians = dict[tuple[str, str], dict[str, float]]


def medians(measured: Iterable[Measured]) -> Medians:
    """By workload and contender, the median of each figure."""
    rounds: dict[tuple[str, str], list[Mapping[str, float]]] = {}
    for one in measured:
        rounds.setdefault((one.workload, one.contender), []).append(one.figures)
    found = {
        key: {name: statistics.median(figures[name] for figures in some) for name in some[0]}
        for key, some in rounds.items()
    }
    for (workload, _), figures in found.items():
        # The store is measured alone: there is nobody to compare it with.
        if (base := found.get((workload, BASE))) and WORKLOADS[workload].load:
            figures["ratio"] = figures["cpu_us"] / base["cpu_us"]
    return found


def table(measured: Iterable[Measured]) -> str:
    """All medians, for people."""
    rows = [HEADER, *_rows(medians(measured))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    texts = [text.ljust(width) for text, width in zip(row[:2], widths, strict=False)]
    numbers = [text.rjust(width) for text, width in zip(row[2:-1], widths[2:], strict=False)]
    return "  ".join([*texts, *numbers, row[-1]]).rstrip()


def _rows(found: Medians) -> Iterator[tuple[str, ...]]:
    for workload, about in WORKLOADS.items():
        here = [contender for contender in CONTENDERS if (workload, contender) in found]
        for contender in here:
            figures = found[workload, contender]
            yield (
                f"{about.title} ({about.operation})" if contender == here[0] else "",
                CONTENDERS[contender].title if about.load else "store alone",
                *(_number(figures.get(name)) for name in ("ops_a_second", "cpu_us", "ratio")),
                *(_number(figures.get(name)) for name in ("p50_ms", "p99_ms", "rss_mib")),
                _besides(found, workload, contender),
            )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _besides(found: Medians, workload: str, contender: str) -> str:
    figures, remarks = found[workload, contender], []
    if "kib_a_socket" in figures:
        remarks.append(
            f"{figures['kib_a_socket']:.1f} KiB a socket, idle {figures['idle_core_percent']:.1f} % of a core"
        )
    one = found.get(("rooms", contender))
    if workload == "two-processes" and one:
        remarks.append(f"{figures['ops_a_second'] / one['ops_a_second']:.2f} × the messages of one")
    if figures.get("others_core", 0.0) > DISTURBED:
        remarks.append(f"DISTURBED: others on this machine took {figures['others_core']:.2f} of a core")
    return "; ".join(remarks)


def summary(machine: Mapping[str, object], rounds: int, seconds: float) -> str:
    """On what and how it was measured, in a sentence."""
    return (
        f"Medians of {rounds} rounds of {seconds:g} s, on {machine['cores']} cores of {machine['cpu']}, "
        f"{machine['kernel']}, Python {machine['python']}, Node.js {machine['node'] or 'none'}, "
        f"Valkey {machine['valkey']}; commit {machine['commit']}."
    )


def as_json(measured: Iterable[Measured], machine: Mapping[str, object], *, rounds: int, seconds: float) -> str:
    """Everything."""
    measured = list(measured)
    middle = [
        {"workload": workload, "contender": contender, **figures}
        for (workload, contender), figures in medians(measured).items()
    ]
    every = [one._asdict() | {"figures": dict(one.figures)} for one in measured]
    found = {"machine": machine, "rounds": rounds, "seconds": seconds, "medians": middle, "measured": every}
    return json.dumps(_rounded(found), indent=1, ensure_ascii=False) + "\n"


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return round(value, 3) if isinstance(value, float) else value
