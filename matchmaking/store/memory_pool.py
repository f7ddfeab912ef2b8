"""The pool of one process for the time of an outage: the memory twin of `pool.ValkeyPool`."""

import math
import secrets
import time

from matchmaking.store.pool import Clock, Outcome, Parted, Standing, hold_seconds, lease_seconds


def _moment() -> int:
    return time.time_ns() // 1000


class RandomSet:
    """A set from which a random member can be taken in constant time."""

    def __init__(self) -> None:
        self._members: list[str] = []
        self._places: dict[str, int] = {}

    def __contains__(self, member: str) -> bool:
        return member in self._places

    def __len__(self) -> int:
        return len(self._members)

    def add(self, member: str) -> None:
        """Put a member in, if it is not in."""
        if member not in self._places:
            self._places[member] = len(self._members)
            self._members.append(member)

    def discard(self, member: str) -> None:
        """Take a member out, if it is in."""
        place = self._places.pop(member, None)
        if place is None:
            return
        last = self._members.pop()
        if last != member:
            self._members[place] = last
            self._places[last] = place

    def pop(self) -> str:
        """Take out a random member and return it; IndexError when there is none."""
        chosen = secrets.choice(self._members)
        self.discard(chosen)
        return chosen


class MemoryPool:
    """A pool of the users of this process only. They have leases; a peer in another process has none."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting = RandomSet()
        self._leases: dict[str, float] = {}
        self._calls: dict[str, str] = {}
        self._callers: set[str] = set()
        self._gone: set[str] = set()

    async def request(self, user: str, skipping: str) -> Outcome:
        peer, freed = self._calls.get(user, ""), ""
        if peer and peer != skipping:
            self._lease(user)
            return Outcome(peer, self._role(user), "", fresh=False, at=_moment())
        if peer:
            freed = self._part(user)
        self._waiting.discard(user)
        chosen = self._choose(skipping)
        self._lease(user)
        if not chosen:
            self._waiting.add(user)
            return Outcome("", "", freed, fresh=False, at=_moment())
        self._connect(user, chosen)
        return Outcome(chosen, "impolite", freed, fresh=True, at=_moment())

    async def offer(self, user: str) -> Parted:
        freed = self._part(user)
        self._waiting.add(user)
        self._lease(user)
        return Parted(freed, _moment())

    async def withdraw(self, user: str) -> int:
        if user in self._waiting:
            self._waiting.discard(user)
            self._forget(user)
        return _moment()

    async def end(self, user: str, peer: str) -> int:
        if self._calls.get(user) != peer:
            return 0
        self._part(user)
        return _moment()

    async def quit(self, user: str, since: float = math.inf) -> Parted:
        if self._leases.get(user, 0) > since + lease_seconds():
            return Parted("", _moment())
        self._waiting.discard(user)
        self._forget(user)
        return Parted(self._part(user), _moment())

    async def peer(self, user: str) -> str:
        return self._calls.get(user, "")

    async def hold(self, user: str) -> None:
        if user in self._leases:
            self._leases[user] = self._clock() + hold_seconds()

    async def renew(self, users: list[str]) -> list[str]:
        for user in users:
            if user in self._leases:
                self._lease(user)
        return [user for user in users if user not in self._leases]

    async def sweep(self) -> list[tuple[str, Parted]]:
        now = self._clock()
        expired = [user for user, until in self._leases.items() if until <= now]
        # One of them may be the peer of another one, and is then taken out with that one.
        return [(user, await self.quit(user)) for user in expired if user in self._leases]

    def remember(self, standings: list[Standing]) -> None:
        """Note what the users of this process are doing while an outage begins."""
        for standing in sorted(standings, key=lambda standing: not standing.peer):
            user, peer = standing.user, standing.peer
            if user not in self._calls:
                if peer in self._calls:
                    continue  # with somebody else
                if peer:
                    self._connect(*((user, peer) if standing.role == "impolite" else (peer, user)))
                else:
                    self._waiting.add(user)
            self._lease(user)

    async def count(self) -> tuple[int, int]:
        return len(self._waiting), len(self._calls) // 2

    def take_all(self) -> list[Standing]:
        """What has to be written back to Valkey. It is forgotten here."""
        taken = [Standing(user, gone=True) for user in self._gone]
        for user in self._leases:
            peer = self._calls.get(user, "")
            role = self._role(user) if peer else ""
            taken.append(Standing(user, peer, role, speaks_for_peer=peer in self._leases))
        self._waiting = RandomSet()
        for kept in (self._leases, self._calls, self._callers, self._gone):
            kept.clear()
        return taken

    def _choose(self, skipped: str) -> str:
        now, passed_over, chosen = self._clock(), False, ""
        while self._waiting and not chosen:
            candidate = self._waiting.pop()
            if self._leases[candidate] <= now:
                self._forget(candidate)
            elif candidate == skipped:
                passed_over = True
            else:
                chosen = candidate
        if passed_over:
            self._waiting.add(skipped)
        return chosen

    def _connect(self, impolite: str, polite: str) -> None:
        self._waiting.discard(impolite)
        self._waiting.discard(polite)
        self._calls[impolite], self._calls[polite] = polite, impolite
        self._callers.add(impolite)
        self._callers.discard(polite)

    def _part(self, user: str) -> str:
        peer = self._calls.pop(user, "")
        if peer:
            del self._calls[peer]
            self._callers -= {user, peer}
            self._forget(user)
            self._forget(peer)
        return peer

    def _role(self, user: str) -> str:
        return "impolite" if user in self._callers else "polite"

    def _lease(self, user: str) -> None:
        self._leases[user] = self._clock() + lease_seconds()
        self._gone.discard(user)

    def _forget(self, user: str) -> None:
        if self._leases.pop(user, None) is not None:
            self._gone.add(user)
