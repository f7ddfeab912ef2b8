"""Sockets that are opened and then say nothing: the load of connect."""

import asyncio

from benchmarks.measuring import SETTLE, Result, Run, cost
from benchmarks.processes import rss_kib
from benchmarks.talking import MEMBERS

CONNECTS, IDLE = 2000, 10.0


async def connect(run: Run) -> Result:
    """Sockets are opened, 50 at a time, in rooms of 5, and then idle."""
    rss, before = rss_kib(run.server_pids), run.now()
    await run.connect((f"u{n}", f"r{n // MEMBERS}") for n in range(CONNECTS))
    result = cost(before, run.now(), CONNECTS)
    await asyncio.sleep(SETTLE)
    idle_from = run.now()
    await asyncio.sleep(IDLE)
    idle_to, rss_now = run.now(), rss_kib(run.server_pids)
    await run.drained(0)
    idle = idle_to.server + idle_to.valkey - idle_from.server - idle_from.valkey
    return result | {
        "rss_mib": rss_now / 1024,
        "kib_a_socket": (rss_now - rss) / CONNECTS,
        "idle_core_percent": idle / (idle_to.time - idle_from.time) * 100,
    }
