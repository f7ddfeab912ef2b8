"""The base class of the admin's sections that show what is in Valkey instead of rows of a database table."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, ClassVar, NamedTuple

import redis
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.messages import ERROR, SUCCESS
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
"""Queries Valkey. Returns what a template shows of it, by name."""


class Action(NamedTuple):
    """Something that a user of the admin does to a room or a user, after they were asked."""

    question: str
    done: str
    """Shown, logged and put into the admin's history once it is done."""
    about: str
    """The room or the user."""
    do: Callable[[redis.Redis], object]
    back: str
    """The URL to go to afterwards, unless the request names another one of this site as `next`."""


class ConsoleSite(AdminSite):
    """An admin site that knows the link of its process."""

    @property
    def link(self) -> Link:
        """The link whose Valkey the pages show."""
        raise NotImplementedError


class ConsoleAdmin(ModelAdmin):  # type: ignore[type-arg] # there are no rows
    """A section whose pages query Valkey, and say so when it is away. Nothing can be added, edited or deleted.

    A section sets `template` and `title`, and overrides `seen` and `look` for its first page.
    """

    template: ClassVar[str]
    title: ClassVar[str]

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
        """Return the pages that the index and the admin's history link to. Django's other pages would need a table."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("", self.admin_site.admin_view(self.changelist_view), name=f"{name}_changelist"),
            path("<path:object_id>/change/", self.admin_site.admin_view(self.change_view), name=f"{name}_change"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Return the section's first page. PermissionDenied unless the user may view the section."""
        self.require(request, f"view_{self.opts.model_name}")
        return self.page(request, self.template, self.title, partial(self.look, request), self.seen(request))

    def seen(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the first page shows without Valkey, by name."""
        return {}

    def look(self, request: HttpRequest, client: redis.Redis) -> dict[str, Any]:
        """Query Valkey. Returns what the first page shows of it, by name."""
        raise NotImplementedError

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def require(self, request: HttpRequest, codename: str) -> None:
        """Raise PermissionDenied unless the user has this permission of the section."""
        if not request.user.has_perm(f"{self.opts.app_label}.{codename}"):
            raise PermissionDenied

    def require_user_id(self, user: str) -> None:
        """Raise Http404 when the text is not a user id."""
        if not names.is_user_id(user):
            raise Http404

    def page(
        self, request: HttpRequest, template: str, title: str, look: Look, seen: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Return a page with `seen` and with what `look` returns. While Valkey is away, the page says so instead."""
        try:
            with self.looking() as client:
                shown = look(client)
        except (Away, redis.exceptions.RedisError) as error:
            shown = {"away": str(error)}
        common = self.admin_site.each_context(request) | {"title": title, "opts": self.opts}
        return TemplateResponse(request, template, common | (seen or {}) | shown)

    def confirm(self, request: HttpRequest, action: Action) -> HttpResponse:
        """Ask on GET. On POST act, record who did what, and redirect to where the user came from."""
        back = request.POST.get("next") or request.GET.get("next") or ""
        if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
            back = action.back
        if request.method != "POST":
            common = self.admin_site.each_context(request) | {"title": "Are you sure?", "opts": self.opts}
            asked = {"question": action.question, "back": back}
            return TemplateResponse(request, "aleatoria/console/confirm.html", common | asked)
        self._act(request, action)
        return HttpResponseRedirect(back)

    def _act(self, request: HttpRequest, action: Action) -> None:
        try:
            with self.looking() as client:
                action.do(client)
        except (Away, redis.exceptions.RedisError) as error:
            self.message_user(request, f"Nothing has been done. {error}", ERROR)
        else:
            self.note(request, about=action.about, says=action.done)
            self.message_user(request, action.done, SUCCESS)

    def note(self, request: HttpRequest, *, about: str, says: str) -> None:
        """Record in the admin's history and in the log what the user has done."""
        LogEntry.objects.create(
            user=request.user,  # type: ignore[misc] # admin_view has checked that they are staff
            content_type=ContentType.objects.get_for_model(self.model),
            object_id=about,
            object_repr=about[:200],
            action_flag=CHANGE,
            change_message=says,
        )
        logger.info("%s in the admin: %s", request.user.get_username(), says)
