"""`manage.py inspect_user`: one user's rooms, conversations and call."""

import argparse

import redis

from aleatoria.operators.commands import ValkeyCommand, moment, user_id
from chat.stats.conversations import ConversationStats, conversation_stats, conversations_of
from chat.stats.people import are_online, rooms_of
from matchmaking.stats import CallerStats, caller_stats


class Command(ValkeyCommand):
    """Show a user."""

    help = "Show a user: whether they are online, their rooms, the numbers of their conversations, and their call."
    examples = ("inspect_user ana", "inspect_user ana --json")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", type=user_id, help="the user's id")

    def look(self, client: redis.Redis, *, user: str, json: bool, **options: object) -> None:
        (online,) = are_online(client, [user])
        rooms, call = rooms_of(client, user), caller_stats(client, user)
        conversations = conversation_stats(client, conversations_of(client, user))
        if json:
            facts = {"user": user, "online": online, "rooms": rooms, "conversations": conversations, "call": call}
            self.show_json(facts)
            return
        self.say(f"{user} is {'online' if online else 'offline'}. Random call: {_doing(call)}.")
        self.say(f"Rooms: {', '.join(rooms) or 'none'}.")
        self._show_conversations(conversations)

    def _show_conversations(self, conversations: list[ConversationStats]) -> None:
        rows = [(one.other, one.messages, moment(one.newest)) for one in conversations]
        if rows:
            self.show_table(("WITH", "MESSAGES", "NEWEST (UTC)"), rows)
        else:
            self.say("Conversations: none.")


def _doing(call: CallerStats) -> str:
    if call.peer:
        return f"in a call with {call.peer}"
    return "waiting in the pool" if call.waits else "none"
