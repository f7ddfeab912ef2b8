"""The admin's page about random calls, and removing a user from the pool."""

from typing import Any

import redis
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from aleatoria.operators.console import Action, ConsoleAdmin
from aleatoria.operators.panels import by_hour
from aleatoria.operators.stats import hours
from matchmaking import operations, stats
from matchmaking.models import RandomCall
from matchmaking.panels import MATCHES

HOURS_SHOWN = 24


@admin.register(RandomCall)
class RandomCallAdmin(ConsoleAdmin):
    """Random calls."""

    template = "matchmaking/calls.html"
    title = "Random calls"

    def get_urls(self) -> list[URLPattern]:
        withdraw = self.admin_site.admin_view(self.withdraw)
        return [path("<str:user>/withdraw/", withdraw, name="matchmaking_withdraw"), *super().get_urls()]

    def seen(self, request: HttpRequest) -> dict[str, Any]:
        return {
            "here": _here(),
            "may_withdraw": request.user.has_perm("matchmaking.withdraw_user"),
            "may_close": request.user.has_perm("aleatoria.close_sockets"),
        }

    def look(self, request: HttpRequest, client: redis.Redis) -> dict[str, Any]:
        lately = hours(client, HOURS_SHOWN)
        return {
            "pool": stats.pool_stats(client),
            "median_wait": stats.median_wait(lately),
            "made": stats.matches(lately),
            "chart": by_hour("Pairs an hour, last day", lately, MATCHES),
        }

    def withdraw(self, request: HttpRequest, user: str) -> HttpResponse:
        """Remove a user from the pool."""
        self.require(request, "withdraw_user")
        self.require_user_id(user)
        action = Action(
            question=f"Remove {user} from the pool? They stop waiting until they ask for a call again.",
            done=f"The user {user} was removed from the pool.",
            about=user,
            do=lambda client: operations.withdraw(client, user),
            back=_here(),
        )
        return self.confirm(request, action)


def _here() -> str:
    return reverse("admin:matchmaking_randomcall_changelist")
