"""`manage.py inspect_pool`: who waits, and who is in a call."""

import redis

from aleatoria.operators.commands import ValkeyCommand, span
from aleatoria.operators.stats import hours
from matchmaking import stats


class Command(ValkeyCommand):
    """Show the pool."""

    help = "Show the pool: who waits for a random call, who is in one, and how long people wait."
    examples = ("inspect_pool", "inspect_pool --json")

    def look(self, client: redis.Redis, *, json: bool, **options: object) -> None:
        pool = stats.pool(client)
        lately = hours(client, 2)
        median, made = stats.median_wait(lately), sum(stats.matches(total.counts) for total in lately)
        if json:
            self.show_json({"pool": pool, "median_wait_seconds": median, "matches": made})
            return
        wait = "nobody had to wait" if median is None else f"half of those who waited had to for {median:.1f} s or less"
        self.say(
            f"{pool.waiting} wait, {pool.calls} calls are up. Since the last full hour but one: {made} pairs; {wait}."
        )
        if pool.first_waiting:
            self.show_table(("WAITS", "COUNTS AS ALIVE FOR"), [_waiting(one) for one in pool.first_waiting])
        if pool.first_calls:
            self.show_table(("ASKED", "WAS CHOSEN"), [(call.asked, call.chosen) for call in pool.first_calls])
        if max(pool.waiting, pool.calls) > stats.SHOWN:
            self.say(f"The first {stats.SHOWN} of each are shown.")


def _waiting(one: stats.Waiting) -> tuple[object, ...]:
    left = one.alive_for_seconds
    return one.user, "no lease: see `manage.py audit`" if left is None else span(max(left, 0))
