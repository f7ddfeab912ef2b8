"""`manage.py inspect_room`: one room."""

import argparse

import redis
from django.core.management.base import CommandError

from aleatoria.operators.commands import ValkeyCommand, count_of, moment, natural, room_name, size, span
from chat.stats.people import members_of
from chat.stats.rooms import last_in_room, room_stats
from chat.transcript import spoken


class Command(ValkeyCommand):
    """Show a room."""

    help = "Show a room: its numbers, its members and, with --tail, its last messages."
    examples = ("inspect_room lobby", "inspect_room lobby --tail 10   # shows message texts")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("room", type=room_name, help="the room's name")
        parser.add_argument("--tail", type=natural, default=0, metavar="N", help="also show the last N messages")

    def look(self, client: redis.Redis, *, room: str, tail: int, json: bool, **options: object) -> None:
        (found,) = room_stats(client, [room])
        if not (found.members or found.messages):
            raise CommandError(f"There is no room {room!r}: it has neither members nor messages.")
        members = members_of(client, room)
        said = [spoken(line) for line in last_in_room(client, room, tail)]
        if json:
            self.show_json({"room": found, "members": members, "messages": said})
            return
        self.say(
            f"{room}: {count_of(found.members, 'member')}, {found.online} online. "
            f"{count_of(found.messages, 'message')}, the newest from {moment(found.newest)} UTC. "
            f"{size(found.memory_bytes)}, expires in {span(found.expires_in_seconds)}."
        )
        self.show_table(("MEMBER", "ONLINE"), [(one.user, "yes" if one.online else "no") for one in members])
        if found.members > len(members):
            self.say(f"The first {len(members)} of {found.members} are shown.")
        if said:
            self.show_table(
                ("TIME (UTC)", "FROM", "MESSAGE"), [(moment(one.at), one.user, one.content) for one in said]
            )
