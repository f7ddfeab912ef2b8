"""The admin's page about random calls, and taking a user out of the pool."""

from typing import Any

import redis
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from aleatoria.operators import charts
from aleatoria.operators.console import ConsoleAdmin
from aleatoria.operators.stats import hours
from matchmaking import operations, stats
from matchmaking.models import RandomCall

HOURS_SHOWN = 24


@admin.register(RandomCall)
class RandomCallAdmin(ConsoleAdmin):
    """Random calls."""

    def get_urls(self) -> list[URLPattern]:
        withdraw = self.admin_site.admin_view(self.withdraw)
        return [path("<str:user>/withdraw/", withdraw, name="matchmaking_withdraw"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self.require(request, "view_randomcall")
        seen = {
            "here": _here(),
            "may_withdraw": request.user.has_perm("matchmaking.withdraw_user"),
            "may_close": request.user.has_perm("aleatoria.close_sockets"),
        }
        return self.page(request, "matchmaking/calls.html", "Random calls", _look, seen)

    def withdraw(self, request: HttpRequest, user: str) -> HttpResponse:
        """Take a user out of the pool."""
        self.require(request, "withdraw_user")
        self.require_user_id(user)
        return self.confirm(
            request,
            question=f"Take {user} out of the pool? He waits no longer, until he asks again.",
            done=f"The user {user} is taken out of the pool.",
            about=user,
            do=lambda client: operations.withdraw(client, user),
            back=_here(),
        )


def _here() -> str:
    return reverse("admin:matchmaking_randomcall_changelist")


def _look(client: redis.Redis) -> dict[str, Any]:
    lately = hours(client, HOURS_SHOWN)
    made = [stats.matches(hour.counts) for hour in lately]
    chart = charts.bars(
        made, title="Pairs an hour, last day", starts=[f"{hour.since:%H:%M}" for hour in lately], ends="now (UTC)"
    )
    return {"pool": stats.pool(client), "median_wait": stats.median_wait(lately), "made": sum(made), "chart": chart}
