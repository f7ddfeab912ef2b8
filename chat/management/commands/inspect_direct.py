"""`manage.py inspect_direct`: the direct conversation of two users."""

import argparse

import redis
from django.core.management.base import CommandError

from aleatoria.operators.commands import ValkeyCommand, count_of, moment, natural, size, span, user_id
from chat.stats.conversations import conversation_stats, last_between
from chat.transcript import spoken


class Command(ValkeyCommand):
    """Show a conversation."""

    help = "Show the direct conversation of two users: its numbers and, with --tail, its last messages."
    examples = ("inspect_direct ana bob", "inspect_direct ana bob --tail 10   # shows message texts")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("one", type=user_id, metavar="A", help="a user's id")
        parser.add_argument("other", type=user_id, metavar="B", help="the other user's id")
        parser.add_argument("--tail", type=natural, default=0, metavar="N", help="also show the last N messages")

    def look(self, client: redis.Redis, *, one: str, other: str, tail: int, json: bool, **options: object) -> None:
        (found,) = conversation_stats(client, [(one, other)])
        if not found.messages:
            raise CommandError(f"{one} and {other} have no conversation: no message of theirs is stored.")
        said = [spoken(line) for line in last_between(client, one, other, tail)]
        if json:
            self.show_json({"conversation": found, "messages": said})
            return
        self.say(
            f"{one} and {other}: {count_of(found.messages, 'message')}, the newest from {moment(found.newest)} UTC. "
            f"{size(found.memory_bytes)}, expires in {span(found.expires_in_seconds)}."
        )
        if said:
            self.show_table(
                ("TIME (UTC)", "FROM", "MESSAGE"), [(moment(one.at), one.user, one.content) for one in said]
            )
