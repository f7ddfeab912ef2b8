"""`manage.py inspect_rooms`: all rooms in numbers."""

import argparse

import redis

from aleatoria.operators.commands import ValkeyCommand, moment, natural, size, span
from chat import stats


class Command(ValkeyCommand):
    """Show rooms."""

    help = "List rooms: members, who is online, messages, the newest one, memory and time to live."
    examples = (
        "inspect_rooms",
        "inspect_rooms --sort messages --limit 20",
        "inspect_rooms --containing attic --json",
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--containing", default="", metavar="TEXT", help="only rooms with this in their names")
        parser.add_argument(
            "--sort", choices=stats.ORDERS, default="name", help="by what, largest first (default: %(default)s)"
        )
        parser.add_argument("--limit", type=natural, help="rooms to show (default: all)")

    def look(
        self, client: redis.Redis, *, containing: str, sort: str, limit: int | None, json: bool, **options: object
    ) -> None:
        count = limit or len(stats.room_names(client))
        rooms, total = stats.page_of_rooms(
            client, containing=containing, order=sort, descending=sort != "name", start=0, count=count
        )
        if json:
            self.show_json(rooms)
            return
        headings = ("ROOM", "MEMBERS", "ONLINE", "MESSAGES", "NEWEST (UTC)", "MEMORY", "EXPIRES IN")
        self.show_table(headings, [_row(room) for room in rooms])
        more = f", of which the first {limit} are shown" if total > len(rooms) else ""
        self.say(f"{total} rooms{more}. {stats.count_conversations(client)} direct conversations.")


def _row(room: stats.Room) -> tuple[object, ...]:
    left = span(room.expires_in_seconds)
    return room.name, room.members, room.online, room.messages, moment(room.newest), size(room.memory_bytes), left
