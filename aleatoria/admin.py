"""The admin's page about Valkey and the server processes, and closing a user's sockets."""

from datetime import UTC, datetime
from typing import Any

import redis
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from aleatoria.models import ValkeyServer
from aleatoria.operators import charts, operations, stats
from aleatoria.operators.console import ConsoleAdmin

DAYS_SHOWN, HOURS_SHOWN = 14, 24
admin.site.site_header = admin.site.site_title = "Aleatoria"
admin.site.index_title = "What is going on"


@admin.register(ValkeyServer)
class ValkeyServerAdmin(ConsoleAdmin):
    """Valkey."""

    def get_urls(self) -> list[URLPattern]:
        close = self.admin_site.admin_view(self.close_sockets)
        return [path("sockets/<str:user>/close/", close, name="aleatoria_close_sockets"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self.require(request, "view_valkeyserver")
        health = self.admin_site.link.health
        seen = {"state": health.state.value, "since": datetime.fromtimestamp(health.since, UTC)}
        return self.page(request, "aleatoria/console/valkey.html", "Valkey", _look, seen)

    def close_sockets(self, request: HttpRequest, user: str) -> HttpResponse:
        """Close all sockets of a user, on every process."""
        self.require(request, "close_sockets")
        self.require_user_id(user)
        return self.confirm(
            request,
            question=f"Close all sockets of {user}, on every process? A call of his ends. He may come back.",
            done=f"All sockets of {user} are closed.",
            about=user,
            do=lambda client: operations.close_sockets(client, user),
            back=reverse("admin:aleatoria_valkeyserver_changelist"),
        )


def _look(client: redis.Redis) -> dict[str, Any]:
    hours, days = stats.hours(client, HOURS_SHOWN), stats.days(client, DAYS_SHOWN)
    said = [_said(hour) for hour in hours]
    chart = charts.bars(
        said, title="Messages an hour", starts=[f"{hour.since:%H:%M}" for hour in hours], ends="now (UTC)"
    )
    return {
        "server": stats.server(client),
        "processes": stats.processes(client),
        "chart": chart,
        "days": [{"day": day.since} | _underscored(day.counts) for day in reversed(days) if day.counts],
        "histories": _histories(hours),
    }


def _said(total: stats.Total) -> int:
    return total.counts.get("messages", 0) + total.counts.get("direct messages", 0)


def _underscored(counts: dict[str, int]) -> dict[str, int]:
    return {name.replace(" ", "_"): count for name, count in counts.items()}


def _histories(hours: list[stats.Total]) -> dict[str, int]:
    """How requests for histories were answered lately."""
    kinds = ("found", "empty", "degraded")
    return {kind: sum(hour.counts.get(f"histories {kind}", 0) for hour in hours) for kind in kinds}
