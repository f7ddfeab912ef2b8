"""`manage.py seed_demo`: rooms with made-up messages, for trying things out and for measurements."""

import argparse
import random
import time
from collections.abc import Iterator

import redis
from django.conf import settings
from django.core.management.base import CommandError

from aleatoria.operators.commands import ValkeyCommand, count_of, natural
from aleatoria.wire import clock, envelope
from aleatoria.wire.envelope import Envelope
from chat.store import membership, room_history
from chat.store.membership import members_key, rooms_key

_PLACES = ["attic", "cellar", "garden", "kitchen", "library", "terrace", "workshop", "harbour", "market"]
_WORDS = ["and", "the", "of", "rain", "tea", "maybe", "tomorrow", "quiet", "train", "old", "new", "blue", "always"]
_AT_ONCE = 200


class Command(ValkeyCommand):
    """Seed."""

    help = "Fill Valkey with made-up rooms, members and messages of the last day. `purge room` deletes one of them."
    examples = ("seed_demo", "seed_demo --rooms 50 --messages 2000", "seed_demo --yes   # when DEBUG is off")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--rooms", type=natural, default=2000, help="how many (default: %(default)s)")
        parser.add_argument(
            "--messages", type=natural, default=200_000, help="in all rooms together (default: %(default)s)"
        )
        parser.add_argument("--users", type=natural, default=5000, help="at most (default: %(default)s)")
        parser.add_argument("--yes", action="store_true", help="do it even when DEBUG is off")

    def look(self, client: redis.Redis, *, rooms: int, messages: int, users: int, yes: bool, **options: object) -> None:
        if not (settings.DEBUG or yes):
            raise CommandError("This is not a development server (DEBUG is off). Add --yes to do it anyway.")
        chance = random.Random(0)  # noqa: S311 # the same seed each time, so that runs can be compared
        members = _made_up_members(chance, rooms, users)
        for room, some in members.items():
            for user in set(some):
                _join(client, user, room)
        counts = [messages // rooms + (number < messages % rooms) for number in range(rooms)]
        for (room, some), count in zip(members.items(), counts, strict=True):
            _fill(client, room, _made_up(chance, room, some, count))
        self.say(f"Added {count_of(rooms, 'room')} with {count_of(messages, 'message')} of up to {users} users.")


def _made_up_members(chance: random.Random, rooms: int, users: int) -> dict[str, list[str]]:
    """Return made-up members, by the room's name. A user may be named twice."""
    made_up = [f"{_PLACES[number % len(_PLACES)]} {number // len(_PLACES) + 1}" for number in range(rooms)]
    return {room: [f"guest-{chance.randrange(users)}" for _ in range(chance.randint(2, 12))] for room in made_up}


def _join(client: redis.Redis, user: str, room: str) -> None:
    both, ttl = [rooms_key(user), members_key(room)], settings.MEMBERSHIP_TTL // clock.MILLISECOND
    membership.JOIN.apply(client, both, user, room, settings.MAX_ROOMS_PER_USER, ttl)


def _made_up(chance: random.Random, room: str, users: list[str], count: int) -> Iterator[tuple[int, str]]:
    """Yield messages over the time for which messages are kept, each with its score."""
    now, span = time.time_ns() // 1000, settings.MESSAGE_TTL // clock.MICROSECOND
    for micros in sorted(chance.sample(range(now - int(span * 0.95), now), count)):
        content = " ".join(chance.choices(_WORDS, k=chance.randint(1, 20)))
        said = Envelope(
            type="chat_message",
            from_user=chance.choice(users),
            room=room,
            message_id=f"demo-{chance.getrandbits(64):016x}",
            create_time=clock.text(micros),
            payload=envelope.raw({"content": content}),
        )
        yield micros * 1000, envelope.encode(said)


def _fill(client: redis.Redis, room: str, messages: Iterator[tuple[int, str]]) -> None:
    key, scored = room_history.key(room), {line: score for score, line in messages}
    lines = list(scored)
    with client.pipeline(transaction=False) as pipeline:
        for start in range(0, len(lines), _AT_ONCE):
            pipeline.zadd(key, {line: scored[line] for line in lines[start : start + _AT_ONCE]})
        pipeline.pexpire(key, settings.MESSAGE_TTL // clock.MILLISECOND)
        pipeline.execute()
