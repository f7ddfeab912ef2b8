"""What is asked of the contenders, and of which."""

from typing import NamedTuple


class Workload(NamedTuple):
    """One row of load, as `load.py` makes it."""

    title: str
    operation: str
    load: str
    servers: int = 1
    only: tuple[str, ...] = ()
    """The contenders it is for, if not for all."""
    in_chart: bool = False


OURS = ("daphne", "uvicorn")
WORKLOADS = {
    "rooms": Workload("rooms", "message", "rooms", in_chart=True),
    "fan-out-200": Workload("fan-out to 200", "delivery", "fan-out-200", in_chart=True),
    "fan-out-2000": Workload("fan-out to 2000", "delivery", "fan-out-2000"),
    "direct": Workload("direct messages", "message", "direct", in_chart=True),
    "history": Workload("history", "request", "history", in_chart=True),
    "match": Workload("match", "pair", "match", only=OURS),
    "connect": Workload("connect and idle", "connect", "connect", in_chart=True),
    "two-processes": Workload("two processes", "message", "rooms", servers=2, only=OURS),
    "latency": Workload("500 messages a second", "message", "latency"),
    # Not through sockets: `pairing.py` measures the store alone.
    "pairing-1000": Workload("pairing, 1000 wait", "pair", "", only=("daphne",)),
    "pairing-10000": Workload("pairing, 10 000 wait", "pair", "", only=("daphne",)),
}
