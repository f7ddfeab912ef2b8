"""What a pair costs, and whether that grows with the pool: `make bench-pairing`.

One process and a Valkey of its own, as the server runs them. Each round, somebody new asks and is paired with a random
one of those who wait; the two part, and the one who waited waits again, so that the pool keeps its size. CPU time is
that of this process and of Valkey, by the system's accounting.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import django

from benchmarks.processes import cpu_seconds

if TYPE_CHECKING:
    from matchmaking.store.pool import ValkeyPool

SIZES = (1000, 10_000)
ROUNDS, AT_ONCE = 5, 50
PAIRS = 4000


class Cost(NamedTuple):
    """Of one pair: microseconds of CPU, here and in Valkey together, and how many there were in a second."""

    cpu_us: float
    pairs_a_second: float


def main() -> None:
    """Measure, print a table for people or JSON, and fail when the cost grows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    wanted = parser.parse_args()
    os.environ |= {"DJANGO_SETTINGS_MODULE": "aleatoria.settings", "DEBUG": "on"}
    with tempfile.TemporaryDirectory() as directory:
        os.environ["DATA_DIR"] = directory
        django.setup()
        costs = asyncio.run(_measure(Path(directory)))
    growth = costs[SIZES[1]].cpu_us / costs[SIZES[0]].cpu_us
    if wanted.json:
        print(json.dumps({"costs": {size: cost._asdict() for size, cost in costs.items()}, "growth": growth}))
    else:
        print(f"{'waiting':>10} {'CPU µs a pair':>15} {'pairs a second':>15}")
        for size, cost in costs.items():
            print(f"{size:>10} {cost.cpu_us:>15.0f} {cost.pairs_a_second:>15.0f}")
        print(f"{SIZES[1]} waiting cost {growth:.2f} times what {SIZES[0]} do.")


async def _measure(directory: Path) -> dict[int, Cost]:
    # Django's settings have to be there first.
    from aleatoria.valkey.embedded import EmbeddedValkey
    from aleatoria.valkey.link import Link
    from matchmaking.store.pool import ValkeyPool

    rounds: dict[int, list[Cost]] = {size: [] for size in SIZES}
    with EmbeddedValkey(directory / "valkey") as embedded:
        link = Link(embedded.address)
        await link.start()
        pool = ValkeyPool(link, time.time)
        for _ in range(ROUNDS):
            # By turns, so that a slow moment of the machine meets both.
            for size in SIZES:
                await link.execute("FLUSHALL")
                await asyncio.gather(*(pool.offer(f"w{n}") for n in range(size)))
                rounds[size].append(await _round(pool, embedded.pid))
        await link.stop()
    return {size: Cost(*map(statistics.median, zip(*costs, strict=True))) for size, costs in rounds.items()}


async def _round(pool: "ValkeyPool", valkey_pid: int) -> Cost:
    async def meet(asking: str) -> None:
        for _ in range(PAIRS // AT_ONCE):
            peer = (await pool.request(asking, "")).peer
            await pool.end(asking, peer)
            await pool.offer(peer)

    def used() -> float:
        return time.process_time() + cpu_seconds([valkey_pid])

    cpu, began = used(), time.perf_counter()
    await asyncio.gather(*(meet(f"a{n}") for n in range(AT_ONCE)))
    cpu, elapsed = used() - cpu, time.perf_counter() - began
    return Cost(cpu / PAIRS * 1e6, PAIRS / elapsed)


if __name__ == "__main__":
    main()
