"""`manage.py inspect_room`: one room."""

import argparse

import redis
from django.core.management.base import CommandError

from aleatoria.operators.commands import ValkeyCommand, moment, natural, room_name, size, span
from chat import stats
from chat.transcript import spoken


class Command(ValkeyCommand):
    """Show a room."""

    help = "Show a room: its numbers and members and, if asked for, the last messages."
    examples = ("inspect_room lobby", "inspect_room lobby --tail 10   # shows what people said")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("room", type=room_name, help="the room's name")
        parser.add_argument("--tail", type=natural, default=0, metavar="N", help="also show the last N messages")

    def look(self, client: redis.Redis, *, room: str, tail: int, json: bool, **options: object) -> None:
        (found,) = stats.rooms(client, [room])
        if not (found.members or found.messages):
            raise CommandError(f"There is no room {room!r}: it has no members, and nothing was said in it lately.")
        members = stats.members(client, room)
        said = [spoken(line) for line in stats.last_in_room(client, room, tail)]
        if json:
            self.show_json({"room": found, "members": members, "messages": said})
            return
        self.say(
            f"{room}: {found.members} members, {found.online} online. {found.messages} messages, the newest "
            f"{moment(found.newest)} UTC. {size(found.memory_bytes)}, expires in {span(found.expires_in_seconds)}."
        )
        self.show_table(("MEMBER", "ONLINE"), [(one.user, "yes" if one.online else "no") for one in members])
        if found.members > len(members):
            self.say(f"The first {len(members)} of {found.members} are shown.")
        if said:
            self.show_table(("TIME (UTC)", "FROM", "SAID"), [(moment(one.at), one.user, one.content) for one in said])
