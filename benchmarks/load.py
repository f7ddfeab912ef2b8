"""The load generator, a process of its own: opens sockets, keeps them busy, prints what it measured as a line of JSON.

    python -m benchmarks.load rooms --ports 8000 --server-pids 4711 --valkey-pid 4712

It must not be what limits: picows and uvloop, frames that are encoded once, and a look for some bytes instead of
parsing. How much of a core it used itself is in its result.
"""

import argparse
import asyncio
import gc
import json

import uvloop
from picows import WSCloseCode

from benchmarks.calling import match
from benchmarks.connecting import connect
from benchmarks.dialects import DIALECTS
from benchmarks.measuring import SETTLE, Load, Result, Run
from benchmarks.reading import history
from benchmarks.talking import direct, fan_out, latency, rooms

# The names are those in `workloads.py`, which cannot have the functions: it is read where picows is not installed.
LOADS: dict[str, Load] = {
    "rooms": rooms,
    "latency": latency,
    "direct": direct,
    "history": history,
    "fan-out-200": fan_out(200),
    "fan-out-2000": fan_out(2000),
    "match": match,
    "connect": connect,
}


def main() -> None:
    """Run one workload on servers that are there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload", choices=LOADS)
    parser.add_argument("--dialect", choices=DIALECTS, default="wire")
    parser.add_argument("--ports", type=_numbers, required=True, help="of the servers, between commas")
    parser.add_argument("--server-pids", type=_numbers, required=True, help="whose CPU time counts, between commas")
    parser.add_argument("--valkey-pid", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of the timed part (default: %(default)s)")
    asked = parser.parse_args()
    # Nothing here is garbage in cycles, and a pause would count as the server's.
    gc.disable()
    dialect, pids = DIALECTS[asked.dialect], asked.server_pids
    run = Run(dialect, asked.ports, asked.seconds, server_pids=pids, valkey_pid=asked.valkey_pid)
    print(json.dumps(uvloop.run(_measured(run, asked.workload)) | {"said": run.said}))


async def _measured(run: Run, workload: str) -> Result:
    result = await LOADS[workload](run)
    for socket in run.sockets:
        socket.transport.send_close(WSCloseCode.OK)
    await asyncio.sleep(SETTLE)
    return result


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    main()
