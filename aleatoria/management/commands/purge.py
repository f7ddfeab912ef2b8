"""`manage.py purge`: delete a room, a user or a conversation from Valkey."""

import argparse
from collections.abc import Callable

import redis

from aleatoria.operators.commands import ValkeyCommand, count_of, room_name, user_id
from aleatoria.operators.operations import close_sockets
from chat.operations import forget_conversation, forget_lines, remove_member, remove_room, said_by
from chat.stats.conversations import conversation_stats, conversations_of
from chat.stats.people import rooms_of
from chat.stats.rooms import room_stats
from matchmaking.operations import quit_all
from matchmaking.stats import caller_stats

Step = tuple[str, Callable[[], object]]
"""What would be done, in words, and the function that does it."""


class Command(ValkeyCommand):
    """Purge."""

    help = (
        "Delete a room, a user or a conversation. Shows what would be deleted; --yes deletes it. "
        "A user's sockets are closed, and their messages are deleted from all rooms."
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
        user = what.add_parser("user", help="their memberships, messages, conversations and call")
        user.add_argument("user", type=user_id)
        conversation = what.add_parser("conversation", help="the messages of two users to each other")
        conversation.add_argument("one", type=user_id, metavar="A")
        conversation.add_argument("other", type=user_id, metavar="B")
        for kind in (room, user, conversation):
            kind.add_argument("--yes", action="store_true", help="delete, instead of showing what would be deleted")
            kind.add_argument("--json", action="store_true", help="print JSON, for programs")

    def look(self, client: redis.Redis, *, what: str, yes: bool, json: bool, **options: str) -> None:
        plans: dict[str, Callable[..., list[Step]]] = {"room": _room, "user": _user, "conversation": _conversation}
        steps = plans[what](client, **options)
        if yes:
            for _, do in steps:
                do()
        if json:
            self.show_json({"done": yes, "steps": [says for says, _ in steps]})
        else:
            self._tell(steps, done=yes)

    def _tell(self, steps: list[Step], *, done: bool) -> None:
        for says, _ in steps:
            self.say(says)
        if not steps:
            self.say("There is nothing to delete.")
        elif not done:
            self.say("Nothing has been done. Add --yes to do it.")


def _room(client: redis.Redis, *, room: str, **options: object) -> list[Step]:
    (found,) = room_stats(client, [room])
    if not (found.members or found.messages):
        return []
    says = f"Room {room}: delete {count_of(found.members, 'membership')} and {count_of(found.messages, 'message')}."
    return [(says, lambda: remove_room(client, room))]


def _conversation(client: redis.Redis, *, one: str, other: str, **options: object) -> list[Step]:
    (found,) = conversation_stats(client, [(one, other)])
    if not found.messages:
        return []
    says = f"Conversation of {one} and {other}: delete {count_of(found.messages, 'message')}."
    return [(says, lambda: forget_conversation(client, one, other))]


def _user(client: redis.Redis, *, user: str, **options: object) -> list[Step]:
    steps = [*_call(client, user), *_memberships(client, user)]
    for room, lines in said_by(client, user):
        says = f"Room {room}: delete {count_of(len(lines), 'message')} of {user}."
        steps.append((says, _forgetting(client, room, lines)))
    for one, other in conversations_of(client, user):
        steps += _conversation(client, one=one, other=other)
    # In any case: a user whose only sockets are for calls does not count as online.
    steps.append((f"Sockets: close all sockets of {user} with 4403.", lambda: close_sockets(client, user)))
    return steps


def _call(client: redis.Redis, user: str) -> list[Step]:
    call = caller_stats(client, user)
    if not (call.waits or call.peer):
        return []
    says = f"Call: end the call with {call.peer}." if call.peer else "Call: leave the pool."
    return [(says, lambda: quit_all(client, user))]


def _memberships(client: redis.Redis, user: str) -> list[Step]:
    rooms = rooms_of(client, user)
    if not rooms:
        return []
    return [(f"Memberships: leave {', '.join(rooms)}.", _leaving(client, rooms, user))]


def _leaving(client: redis.Redis, rooms: list[str], user: str) -> Callable[[], object]:
    def leave() -> None:
        for room in rooms:
            remove_member(client, room, user)

    return leave


def _forgetting(client: redis.Redis, room: str, lines: list[bytes]) -> Callable[[], object]:
    return lambda: forget_lines(client, room, lines)
