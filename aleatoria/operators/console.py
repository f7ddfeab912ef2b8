"""What the sections of the admin share that show what is in Valkey instead of rows of a table."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import redis
from django.contrib import messages
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from aleatoria.operators.stats import Away, looking
from aleatoria.valkey.link import Link
from aleatoria.wire import names

logger = logging.getLogger(__name__)

Look = Callable[[redis.Redis], dict[str, Any]]
"""Asks Valkey what a page shows."""


class ConsoleSite(AdminSite):
    """An admin site that knows the link of its process."""

    @property
    def link(self) -> Link:
        """The link whose Valkey the pages show."""
        raise NotImplementedError


class ConsoleAdmin(ModelAdmin):  # type: ignore[type-arg] # there are no rows
    """A section whose pages ask Valkey, and say so when it is away. Nothing can be added, edited or deleted."""

    admin_site: ConsoleSite

    def looking(self) -> AbstractContextManager[redis.Redis]:
        """A client to look at Valkey with; Away when it is known to be away, or does not answer."""
        link = self.admin_site.link
        return looking(link.address, link.health.state)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        """What the index and the admin's history link to. Django's other pages would look for a row."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("", self.admin_site.admin_view(self.changelist_view), name=f"{name}_changelist"),
            path("<path:object_id>/change/", self.admin_site.admin_view(self.change_view), name=f"{name}_change"),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def require(self, request: HttpRequest, codename: str) -> None:
        """PermissionDenied unless the user has this permission of the section's."""
        if not request.user.has_perm(f"{self.opts.app_label}.{codename}"):
            raise PermissionDenied

    def require_user_id(self, user: str) -> None:
        """404 when nobody can be called so."""
        if not names.is_user_id(user):
            raise Http404

    def page(
        self, request: HttpRequest, template: str, title: str, look: Look, seen: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A page with what is `seen` without Valkey, and with what `look` gives; where Valkey is away it says so."""
        try:
            with self.looking() as client:
                shown = look(client)
        except (Away, redis.exceptions.RedisError) as error:
            shown = {"away": str(error)}
        common = self.admin_site.each_context(request) | {"title": title, "opts": self.opts}
        return TemplateResponse(request, template, common | (seen or {}) | shown)

    def confirm(
        self,
        request: HttpRequest,
        *,
        question: str,
        done: str,
        about: str,
        do: Callable[[redis.Redis], object],
        back: str,
    ) -> HttpResponse:
        """Ask first; on yes do it, note who did it to what, and go `back`, or to where one came from."""
        asked_from = request.POST.get("next") or request.GET.get("next") or ""
        if url_has_allowed_host_and_scheme(asked_from, {request.get_host()}, require_https=request.is_secure()):
            back = asked_from
        if request.method != "POST":
            common = self.admin_site.each_context(request) | {"title": "Are you sure?", "opts": self.opts}
            return TemplateResponse(
                request, "aleatoria/console/confirm.html", common | {"question": question, "back": back}
            )
        try:
            with self.looking() as client:
                do(client)
        except (Away, redis.exceptions.RedisError) as error:
            self.message_user(request, f"Nothing has been done. {error}", messages.ERROR)
        else:
            self.note(request, about=about, says=done)
            self.message_user(request, done, messages.SUCCESS)
        return HttpResponseRedirect(back)

    def note(self, request: HttpRequest, *, about: str, says: str) -> None:
        """Put into admin's history, and into the log, what somebody has done."""
        LogEntry.objects.create(
            user=request.user,  # type: ignore[misc] # staff, as admin_view has seen
            content_type=ContentType.objects.get_for_model(self.model),
            object_id=about,
            object_repr=about[:200],
            action_flag=CHANGE,
            change_message=says,
        )
        logger.info("%s in the admin: %s", request.user.get_username(), says)
