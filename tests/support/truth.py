"""The pool as Valkey holds it at one moment, compared with what callers know."""

from collections.abc import Iterator
from typing import NamedTuple, Self

import redis

from tests.support.caller import Caller

WAITING = "available:webrtc"
LEASES, PAIRS, CALLERS = (f"{{{WAITING}}}:{name}" for name in ("leases", "pairs", "callers"))


class Truth(NamedTuple):
    """The contents of the pool's four keys."""

    waiting: set[str]
    pairs: dict[str, str]
    callers: set[str]
    leased: set[str]

    @classmethod
    def in_valkey(cls, client: redis.Redis) -> Self:
        """Read the keys in one transaction."""
        reading = client.pipeline(transaction=True)
        reading.smembers(WAITING)
        reading.hgetall(PAIRS)
        reading.smembers(CALLERS)
        reading.zrange(LEASES, 0, -1)
        waiting, pairs, callers, leased = reading.execute()
        calls = {user.decode(): peer.decode() for user, peer in pairs.items()}
        return cls(_texts(waiting), calls, _texts(callers), _texts(leased))

    def flaws(self) -> Iterator[str]:
        """Yield what must never be the case."""
        for user, peer in self.pairs.items():
            if user == peer:
                yield f"{user} is in a call with themselves"
            if self.pairs.get(peer) != user:
                yield f"{user} is in a call with {peer}, who is in one with {self.pairs.get(peer)}"
            if (user in self.callers) == (peer in self.callers):
                yield f"{user} and {peer} have the same role"
        for user in self.waiting & self.pairs.keys():
            yield f"{user} waits and is in a call"
        for user in self.callers - self.pairs.keys():
            yield f"{user} is impolite to nobody"
        for user in self.leased ^ (self.waiting | self.pairs.keys()):
            yield f"{user} has a lease for nothing, or none for something"

    def errors(self, crowd: dict[str, Caller]) -> Iterator[str]:
        """Yield where the pool differs from what connected callers know. All their requests have been answered."""
        for user, caller in crowd.items():
            if not caller.connected:
                continue
            if self.pairs.get(user, "") != caller.peer:
                yield f"{user} is in a call with {caller.peer or 'nobody'}, not {self.pairs.get(user)}"
            elif caller.peer and (user in self.callers) != (caller.role == "impolite"):
                yield f"{user} is {caller.role}"
            if (user in self.waiting) != caller.seeking:
                yield f"{user} {'waits' if caller.seeking else 'does not wait'}"
            peer = crowd.get(caller.peer)
            if peer and peer.connected and (peer.peer != user or peer.role == caller.role):
                yield f"{user} ({caller.role} with {caller.peer}) is not who {peer.user} ({peer.role}) talks to"

    def ghosts(self, crowd: dict[str, Caller]) -> set[str]:
        """Return the users in the pool who are not connected."""
        return {user for user in self.leased | self.waiting | self.pairs.keys() if not crowd[user].connected}


def _texts(members: list[bytes] | set[bytes]) -> set[str]:
    return {member.decode() for member in members}
