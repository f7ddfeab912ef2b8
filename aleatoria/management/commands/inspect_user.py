"""`manage.py inspect_user`: one user's rooms, conversations and call."""

import argparse

import redis

import chat.stats
import matchmaking.stats
from aleatoria.operators.commands import ValkeyCommand, moment, user_id


class Command(ValkeyCommand):
    """Show a user."""

    help = "Show a user: whether he is online, his rooms, his conversations in numbers, and his call."
    examples = ("inspect_user ana", "inspect_user ana --json")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", type=user_id, help="the user's id")

    def look(self, client: redis.Redis, *, user: str, json: bool, **options: object) -> None:
        (online,) = chat.stats.online(client, [user])
        rooms = chat.stats.rooms_of(client, user)
        conversations = chat.stats.conversations(client, chat.stats.conversations_of(client, user))
        standing = matchmaking.stats.standing(client, user)
        if json:
            facts = {"user": user, "online": online, "rooms": rooms, "conversations": conversations, "call": standing}
            self.show_json(facts)
            return
        call = (
            f"in a call with {standing.peer}" if standing.peer else "waiting in the pool" if standing.waits else "none"
        )
        self.say(f"{user} is {'online' if online else 'offline'}. Random call: {call}.")
        self.say(f"Rooms: {', '.join(rooms) or 'none'}.")
        rows = [(one.other, one.messages, moment(one.newest)) for one in conversations]
        if rows:
            self.show_table(("WITH", "MESSAGES", "NEWEST (UTC)"), rows)
        else:
            self.say("Conversations: none.")
