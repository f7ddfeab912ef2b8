"""Chat's part of a node."""

from django.conf import settings

from aleatoria.wire.host import Host
from chat.people import People
from chat.services import ChatServices, presence, sweep

RENEW_EVERY = 3600.0
"""Seconds between two renewals of the memberships of those who are connected; a membership lasts a day from each."""


def install(node: Host) -> People:
    """Make chat's services and register their hooks and chores with `node`; what chat's sockets share."""
    chat = ChatServices(node.link)
    people = People(node, chat)
    node.greetings.append(_greeting)
    node.link.health.on_lost.append(people.remember)
    # Awaited before clients are told that the outage is over: they then read what has been written back.
    node.link.health.on_back.append(people.write_back)
    node.chores.every(RENEW_EVERY, people.renew_memberships)
    node.chores.every(presence.RENEW_EVERY, people.renew_presence)
    node.chores.every(sweep.EVERY, people.sweep_presence)
    node.chores.every(sweep.EVERY, chat.sweep)
    return people


def _greeting() -> dict[str, object]:
    """What chat adds to a `welcome`; sockets that speak chat fill in their rooms."""
    limits = {"messageBytes": settings.MAX_MESSAGE_BYTES, "rooms": settings.MAX_ROOMS_PER_USER}
    return {"rooms": [], "limits": limits}
