"""`manage.py inspect_rooms`: the numbers of all rooms."""

import argparse

import redis

from aleatoria.operators.commands import ValkeyCommand, count_of, moment, natural, size, span
from chat.stats.conversations import count_conversations
from chat.stats.rooms import ORDERS, RoomStats, page_of_rooms, room_names


class Command(ValkeyCommand):
    """Show rooms."""

    help = "List rooms: members, members online, messages, the newest message, memory and time to live."
    examples = (
        "inspect_rooms",
        "inspect_rooms --sort messages --limit 20",
        "inspect_rooms --containing attic --json",
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--containing", default="", metavar="TEXT", help="only rooms whose names contain this text")
        parser.add_argument(
            "--sort", choices=ORDERS, default="name", help="the order: by name, or largest first (default: %(default)s)"
        )
        parser.add_argument("--limit", type=natural, help="how many to show (default: all)")

    def look(
        self, client: redis.Redis, *, containing: str, sort: str, limit: int | None, json: bool, **options: object
    ) -> None:
        count = limit or len(room_names(client))
        rooms, total = page_of_rooms(
            client, containing=containing, order=sort, descending=sort != "name", start=0, count=count
        )
        if json:
            self.show_json(rooms)
            return
        headings = ("ROOM", "MEMBERS", "ONLINE", "MESSAGES", "NEWEST (UTC)", "MEMORY", "EXPIRES IN")
        self.show_table(headings, [_row(room) for room in rooms])
        more = f" The first {limit} are shown." if total > len(rooms) else ""
        conversations = count_of(count_conversations(client), "direct conversation")
        self.say(f"{count_of(total, 'room')}.{more} {conversations}.")


def _row(room: RoomStats) -> tuple[object, ...]:
    left = span(room.expires_in_seconds)
    return room.name, room.members, room.online, room.messages, moment(room.newest), size(room.memory_bytes), left
