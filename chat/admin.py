"""The admin's section about rooms: a list, a page for each room, and actions on a room."""

from datetime import UTC, datetime, timedelta
from typing import Any

import redis
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from aleatoria.operators import charts
from aleatoria.operators.console import Action, ConsoleAdmin
from chat import operations
from chat.models import Room
from chat.room_list import RoomList
from chat.room_urls import quoted, unquoted, url
from chat.stats.people import members_of
from chat.stats.rooms import last_in_room, room_stats, said_in
from chat.transcript import spoken

MESSAGES_SHOWN = 50


@admin.register(Room)
class RoomAdmin(ConsoleAdmin):
    """Rooms."""

    template = "chat/rooms.html"
    title = "Rooms"

    def get_urls(self) -> list[URLPattern]:
        def view(route: str, name: str, page: Any) -> URLPattern:
            found: URLPattern = path(route, self.admin_site.admin_view(page), name=f"chat_room_{name}")
            return found

        return [
            view("<path:room>/messages/", "messages", self.messages),
            view("<path:room>/clear/", "clear", self.clear),
            view("<path:room>/members/<str:user>/remove/", "remove", self.remove),
            *super().get_urls(),
        ]

    def seen(self, request: HttpRequest) -> dict[str, Any]:
        return RoomList.asked_for(request.GET).sorting

    def look(self, request: HttpRequest, client: redis.Redis) -> dict[str, Any]:
        rooms, numbers = RoomList.asked_for(request.GET).read(client)
        return {"rooms": [(room, url(room.name, "change")) for room in rooms]} | numbers

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require(request, "view_room")
        return self._room(request, unquoted(object_id))

    def messages(self, request: HttpRequest, room: str) -> HttpResponse:
        """Return a room's page with its last messages. Only on POST, and recorded in the admin's history."""
        self.require(request, "read_messages")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return self._room(request, unquoted(room), reading=True)

    def clear(self, request: HttpRequest, room: str) -> HttpResponse:
        """Delete all messages of a room."""
        self.require(request, "clear_room")
        name = unquoted(room)
        action = Action(
            question=f"Delete all messages of the room {name}? This cannot be undone.",
            done=f"The history of the room {name} was cleared.",
            about=name,
            do=lambda client: operations.clear_history(client, name),
            back=url(name, "change"),
        )
        return self.confirm(request, action)

    def remove(self, request: HttpRequest, room: str, user: str) -> HttpResponse:
        """Remove a member from a room."""
        self.require(request, "remove_member")
        name = unquoted(room)
        self.require_user_id(user)
        action = Action(
            question=f"Remove {user} from the room {name}? They can join again.",
            done=f"The user {user} was removed from the room {name}.",
            about=name,
            do=lambda client: operations.remove_member(client, name, user),
            back=url(name, "change"),
        )
        return self.confirm(request, action)

    def _room(self, request: HttpRequest, name: str, *, reading: bool = False) -> HttpResponse:
        def look(client: redis.Redis) -> dict[str, Any]:
            shown = _shown(client, name, MESSAGES_SHOWN if reading else 0)
            if reading:
                self.note(request, about=name, says=f"The last messages of the room {name} were read.")
            return shown

        seen = _offered(request, name) | {"reading": reading}
        return self.page(request, "chat/room.html", name, look, seen)


def _shown(client: redis.Redis, name: str, messages: int) -> dict[str, Any]:
    """Return what a room's page shows, with so many of the last messages."""
    (room,) = room_stats(client, [name])
    return {
        "room": room,
        "members": members_of(client, name),
        "charts": [_last_hour(client, name), _last_day(client, name)],
        "said": [spoken(line) for line in last_in_room(client, name, messages)],
    }


def _offered(request: HttpRequest, name: str) -> dict[str, Any]:
    """Return what the user may do on a room's page, and the URLs for it."""
    return {
        "here": url(name, "change"),
        "may_read": request.user.has_perm("chat.read_messages"),
        "may_clear": request.user.has_perm("chat.clear_room"),
        "may_remove": request.user.has_perm("chat.remove_member"),
        "may_close": request.user.has_perm("aleatoria.close_sockets"),
        "messages_url": url(name, "messages"),
        "clear_url": url(name, "clear"),
        "quoted": quoted(name),
    }


def _last_hour(client: redis.Redis, room: str) -> SafeString:
    minutes = [float(count) for count in said_in(client, room, seconds=3600, parts=60)]
    return charts.bars(minutes, title="Messages a minute, last hour", starts=_starts(60, 60), ends="now (UTC)")


def _last_day(client: redis.Redis, room: str) -> SafeString:
    quarters = [count / 15 for count in said_in(client, room, seconds=86400, parts=96)]
    return charts.bars(quarters, title="Messages a minute, last day", starts=_starts(96, 900), ends="now (UTC)")


def _starts(parts: int, seconds: int) -> list[str]:
    """Return the time at which each of the last `parts` stretches of `seconds` seconds began, oldest first."""
    now = datetime.now(UTC)
    return [f"{now - timedelta(seconds=seconds * back):%H:%M}" for back in range(parts, 0, -1)]
