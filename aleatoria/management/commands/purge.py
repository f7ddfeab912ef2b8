"""`manage.py purge`: forget a room, a user or a conversation."""

import argparse
from collections.abc import Callable

import redis

import chat.operations
import chat.stats
import matchmaking.operations
import matchmaking.stats
from aleatoria.operators import operations
from aleatoria.operators.commands import ValkeyCommand, room_name, user_id

Step = tuple[str, Callable[[], object]]
"""What would be done, in words, and what does it."""


class Command(ValkeyCommand):
    """Purge."""

    help = (
        "Forget a room, a user or a conversation. Shows what would be done; --yes does it. "
        "A user's sockets are closed, and his messages are taken out of all rooms."
    )
    examples = (
        "purge room attic",
        "purge room attic --yes",
        "purge user ana --yes",
        "purge conversation ana bob --yes",
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        what = parser.add_subparsers(dest="what", required=True, metavar="{room,user,conversation}")
        room = what.add_parser("room", help="its memberships and messages")
        room.add_argument("room", type=room_name)
        user = what.add_parser("user", help="his memberships, messages, conversations and call")
        user.add_argument("user", type=user_id)
        conversation = what.add_parser("conversation", help="what two users wrote to each other")
        conversation.add_argument("one", type=user_id, metavar="A")
        conversation.add_argument("other", type=user_id, metavar="B")
        for kind in (room, user, conversation):
            kind.add_argument("--yes", action="store_true", help="do it, instead of showing what would be done")
            kind.add_argument("--json", action="store_true", help="print JSON, for programs")

    def look(self, client: redis.Redis, *, what: str, yes: bool, json: bool, **options: str) -> None:
        plans: dict[str, Callable[..., list[Step]]] = {"room": _room, "user": _user, "conversation": _conversation}
        steps = plans[what](client, **options)
        if yes:
            for _, do in steps:
                do()
        if json:
            self.show_json({"done": yes, "steps": [says for says, _ in steps]})
            return
        for says, _ in steps:
            self.say(says)
        if not steps:
            self.say("There is nothing to forget.")
        elif not yes:
            self.say("Nothing has been done. Add --yes to do it.")


def _room(client: redis.Redis, *, room: str, **options: object) -> list[Step]:
    (found,) = chat.stats.rooms(client, [room])
    if not (found.members or found.messages):
        return []
    says = f"Room {room}: {found.members} memberships and {found.messages} messages are forgotten."
    return [(says, lambda: chat.operations.remove_room(client, room))]


def _conversation(client: redis.Redis, *, one: str, other: str, **options: object) -> list[Step]:
    (found,) = chat.stats.conversations(client, [(one, other)])
    if not found.messages:
        return []
    says = f"Conversation of {one} and {other}: {found.messages} messages are forgotten."
    return [(says, lambda: chat.operations.forget_conversation(client, one, other))]


def _user(client: redis.Redis, *, user: str, **options: object) -> list[Step]:
    steps: list[Step] = []
    standing = matchmaking.stats.standing(client, user)
    if standing.waits or standing.peer:
        says = f"Call: his call with {standing.peer} ends." if standing.peer else "Call: he waits no longer."
        steps.append((says, lambda: matchmaking.operations.quit_all(client, user)))
    if rooms := chat.stats.rooms_of(client, user):
        says = f"Memberships: he leaves {', '.join(rooms)}."
        steps.append((says, _leaving(client, rooms, user)))
    for room, lines in chat.operations.said_by(client, user):
        steps.append((f"Room {room}: his {len(lines)} messages are forgotten.", _forgetting(client, room, lines)))
    for one, other in chat.stats.conversations_of(client, user):
        steps += _conversation(client, one=one, other=other)
    # Whether there are any: who has sockets for calls only does not count as online.
    steps.append(("Sockets: all of his are closed with 4403.", lambda: operations.close_sockets(client, user)))
    return steps


def _leaving(client: redis.Redis, rooms: list[str], user: str) -> Callable[[], object]:
    def leave() -> None:
        for room in rooms:
            chat.operations.remove_member(client, room, user)

    return leave


def _forgetting(client: redis.Redis, room: str, lines: list[bytes]) -> Callable[[], object]:
    return lambda: chat.operations.forget_lines(client, room, lines)
