"""Matchmaking's part of a node."""

from django.conf import settings

from aleatoria.wire.host import Host
from matchmaking.callers import Callers
from matchmaking.services import CallServices

SWEEP_EVERY = 1.0
"""Seconds between two sweeps of the leases."""


def install(node: Host) -> Callers:
    """Make the services of calls and register their hooks and chores with `node`; what the sockets of callers share."""
    calls = CallServices(node.link)
    callers = Callers(node, calls)
    node.greetings.append(_greeting)
    node.before_scrape.append(callers.count)
    node.link.health.on_lost.append(callers.remember)
    node.link.health.on_back.append(callers.write_back)
    # Three renewals a lease: two may be late.
    node.chores.every(settings.CALL_LEASE.total_seconds() / 3, callers.renew)
    node.chores.every(SWEEP_EVERY, callers.sweep)
    return callers


def _greeting() -> dict[str, object]:
    """What matchmaking adds to a `welcome`; sockets that speak matchmaking fill in the servers."""
    return {"iceServers": []}
