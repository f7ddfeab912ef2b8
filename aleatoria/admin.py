"""The admin's page about Valkey and the server processes, and closing a user's sockets."""

from datetime import UTC, datetime
from typing import Any

import redis
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from aleatoria.catalog import PANELS
from aleatoria.models import ValkeyServer
from aleatoria.operators import operations, panels, stats
from aleatoria.operators.console import Action, ConsoleAdmin

DAYS_SHOWN, HOURS_SHOWN = 14, 24
admin.site.site_header = admin.site.site_title = "Aleatoria"
admin.site.index_title = "Overview"


@admin.register(ValkeyServer)
class ValkeyServerAdmin(ConsoleAdmin):
    """Valkey."""

    template = "aleatoria/console/valkey.html"
    title = "Valkey"

    def get_urls(self) -> list[URLPattern]:
        close = self.admin_site.admin_view(self.close_sockets)
        return [path("sockets/<str:user>/close/", close, name="aleatoria_close_sockets"), *super().get_urls()]

    def seen(self, request: HttpRequest) -> dict[str, Any]:
        health = self.admin_site.link.health
        return {"state": health.state.value, "since": datetime.fromtimestamp(health.since, UTC)}

    def look(self, request: HttpRequest, client: redis.Redis) -> dict[str, Any]:
        hours, days = stats.hours(client, HOURS_SHOWN), stats.days(client, DAYS_SHOWN)
        counted = panels.filled(PANELS, hours, days)
        return {"server": stats.valkey_info(client), "processes": stats.processes(client)} | counted

    def close_sockets(self, request: HttpRequest, user: str) -> HttpResponse:
        """Close all sockets of a user, in every process."""
        self.require(request, "close_sockets")
        self.require_user_id(user)
        action = Action(
            question=f"Close all sockets of {user}, in every process? A call they are in ends. They can connect again.",
            done=f"All sockets of {user} were closed.",
            about=user,
            do=lambda client: operations.close_sockets(client, user),
            back=reverse("admin:aleatoria_valkeyserver_changelist"),
        )
        return self.confirm(request, action)
