"""Rules that must always hold for the pool and the calls in Valkey."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import redis

from aleatoria.operators.audit import Breach, Rule
from matchmaking.store.pool import CALLERS, CALLS, KEYS, LEASES, WAITING

_TYPES = [b"set", b"zset", b"hash", b"set"]


class _Books(NamedTuple):
    """The contents of the four keys, read in one transaction."""

    waiting: set[str]
    leased: set[str]
    calls: dict[str, str]
    callers: set[str]


def calls(client: redis.Redis) -> Iterator[Breach]:
    """Each call has two users, who are paired with one another, and exactly one of them requested it.

    If a user whose entries a repair deletes is still connected, the process with their socket writes them again.
    """
    books = _read(client)
    for user, peer in books.calls.items():
        if user == peer:
            yield Breach(CALLS, f"{user} is in a call with themselves", _forget(client, user))
        elif books.calls.get(peer) != user:
            says = f"{user} is in a call with {peer}, but {peer} is in a call with {books.calls.get(peer, 'nobody')}"
            yield Breach(CALLS, says, _forget(client, user))
        elif user < peer and (user in books.callers) == (peer in books.callers):
            yield Breach(CALLERS, f"{user} and {peer} have the same role", _forget(client, user, peer))
    for user in sorted(books.callers - books.calls.keys()):
        yield Breach(CALLERS, f"{user} has requested a call, but is in none", _remove(client, CALLERS, user))


def pool(client: redis.Redis) -> Iterator[Breach]:
    """No user waits while in a call. Users who wait or are in a call have a lease, and nobody else has one."""
    books = _read(client)
    for user in sorted(books.waiting & books.calls.keys()):
        yield Breach(WAITING, f"{user} waits and is in a call", _remove(client, WAITING, user))
    for user in sorted((books.waiting | books.calls.keys()) - books.leased):
        where = WAITING if user in books.waiting else CALLS
        yield Breach(where, f"{user} has no lease", _forget(client, user, *_whose(books, user)))
    for user in sorted(books.leased - books.waiting - books.calls.keys()):
        yield Breach(LEASES, f"{user} has a lease, but neither waits nor is in a call", _remove(client, LEASES, user))


def _read(client: redis.Redis) -> _Books:
    with client.pipeline(transaction=True) as reading:
        for key in KEYS:
            reading.type(key)
        reading.smembers(WAITING)
        reading.zrange(LEASES, 0, -1)
        reading.hgetall(CALLS)
        reading.smembers(CALLERS)
        answers = reading.execute(raise_on_error=False)
    # The rule `type` reports keys of the wrong type.
    right = [is_type == kind for is_type, kind in zip(answers[:4], _TYPES, strict=True)]
    waiting, leased, in_call, callers = (answer if ok else [] for ok, answer in zip(right, answers[4:], strict=True))
    pairs = {user.decode(): peer.decode() for user, peer in dict(in_call).items()}
    return _Books(_texts(waiting), _texts(leased), pairs, _texts(callers))


def _texts(members: list[bytes] | set[bytes]) -> set[str]:
    return {member.decode() for member in members}


def _whose(books: _Books, peer: str) -> list[str]:
    """Return the users whose entry says that they are in a call with this one."""
    return [user for user, other in books.calls.items() if other == peer]


def _forget(client: redis.Redis, *users: str) -> Callable[[], object]:
    """Return a repair that deletes all entries of these users."""

    def forget() -> None:
        with client.pipeline(transaction=True) as forgetting:
            forgetting.srem(WAITING, *users)
            forgetting.zrem(LEASES, *users)
            forgetting.hdel(CALLS, *users)
            forgetting.srem(CALLERS, *users)
            forgetting.execute()

    return forget


def _remove(client: redis.Redis, key: str, user: str) -> Callable[[], object]:
    return lambda: client.zrem(key, user) if key == LEASES else client.srem(key, user)


RULES: dict[str, Rule] = {"calls": calls, "pool": pool}
