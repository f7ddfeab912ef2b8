"""`manage.py inspect_pool`: who waits, and who is in a call."""

from collections.abc import Sequence

import redis

from aleatoria.operators.commands import ValkeyCommand, count_of, span
from aleatoria.operators.stats import Total, hours
from matchmaking.stats import SHOWN, PoolStats, Waiting, matches, median_wait, pool_stats


class Command(ValkeyCommand):
    """Show the pool."""

    help = "Show who waits for a random call, who is in one, and how long users wait."
    examples = ("inspect_pool", "inspect_pool --json")

    def look(self, client: redis.Redis, *, json: bool, **options: object) -> None:
        pool, lately = pool_stats(client), hours(client, 2)
        if json:
            facts = {"pool": pool, "median_wait_seconds": median_wait(lately), "matches": matches(lately)}
            self.show_json(facts)
            return
        self.say(f"{count_of(pool.waiting, 'user')} waiting, {count_of(pool.calls, 'call')}. {_lately(lately)}")
        self._show(pool)

    def _show(self, pool: PoolStats) -> None:
        if pool.first_waiting:
            self.show_table(("WAITING", "LEASE EXPIRES IN"), [_waiting(one) for one in pool.first_waiting])
        if pool.first_calls:
            rows = [(call.asked, call.chosen) for call in pool.first_calls]
            self.show_table(("REQUESTED BY", "PAIRED WITH"), rows)
        if max(pool.waiting, pool.calls) > SHOWN:
            self.say(f"The first {SHOWN} of each are shown.")


def _lately(some: Sequence[Total]) -> str:
    """Say how many pairs were made and how long users waited, since the first of these hours began."""
    median = median_wait(some)
    wait = "nobody had to wait" if median is None else f"the median wait was {median:.1f} s"
    return f"Since {some[0].since:%H:%M} UTC: {count_of(matches(some), 'pair')}; {wait}."


def _waiting(one: Waiting) -> tuple[object, ...]:
    left = one.alive_for_seconds
    return one.user, "no lease: run `manage.py audit`" if left is None else span(max(left, 0))
