"""The admin's rooms: a list, a page for each, and what may be done to them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import redis
from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from aleatoria.operators import charts
from aleatoria.operators.console import ConsoleAdmin
from aleatoria.wire import names
from chat import operations, stats
from chat.models import Room
from chat.transcript import spoken

ROOMS_A_PAGE, MESSAGES_SHOWN = 50, 50
_DOT = "_2E"
_HEADINGS = {
    "name": "Room",
    "members": "Members",
    "online": "Online",
    "messages": "Messages",
    "newest": "Newest (UTC)",
    "memory_bytes": "Memory",
    "expires_in_seconds": "Expires in",
}


@admin.register(Room)
class RoomAdmin(ConsoleAdmin):
    """Rooms."""

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

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self.require(request, "view_room")
        containing, number = request.GET.get("q", "").strip(), _page_number(request.GET.get("p", ""))
        order, descending = _order(request.GET.get("o", ""))

        def look(client: redis.Redis) -> dict[str, Any]:
            def page(number: int) -> tuple[list[stats.Room], int]:
                start = (number - 1) * ROOMS_A_PAGE
                return stats.page_of_rooms(
                    client, containing=containing, order=order, descending=descending, start=start, count=ROOMS_A_PAGE
                )

            rooms, total = page(number)
            pages = max(1, -(-total // ROOMS_A_PAGE))
            if number > pages:
                rooms, total = page(pages)
            linked = [(room, _url(room.name, "change")) for room in rooms]
            return {"rooms": linked, "total": total, "number": min(number, pages), "pages": pages}

        sorting = {
            "containing": containing,
            "order": ("-" if descending else "") + order,
            "columns": [_Heading(field, order, descending=descending) for field in _HEADINGS],
        }
        return self.page(request, "chat/rooms.html", "Rooms", look, sorting)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require(request, "view_room")
        return self._room(request, _named(object_id))

    def messages(self, request: HttpRequest, room: str) -> HttpResponse:
        """A room's page with its last messages: only on a deliberate click, which is noted."""
        self.require(request, "read_messages")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return self._room(request, _named(room), reading=True)

    def clear(self, request: HttpRequest, room: str) -> HttpResponse:
        """Forget what was said in a room."""
        self.require(request, "clear_room")
        name = _named(room)
        return self.confirm(
            request,
            question=f"Forget everything that was said in the room {name}? It cannot be undone.",
            done=f"The history of the room {name} is cleared.",
            about=name,
            do=lambda client: operations.clear_history(client, name),
            back=_url(name, "change"),
        )

    def remove(self, request: HttpRequest, room: str, user: str) -> HttpResponse:
        """Remove a member from a room."""
        self.require(request, "remove_member")
        name = _named(room)
        self.require_user_id(user)
        return self.confirm(
            request,
            question=f"Remove {user} from the room {name}? He may join again.",
            done=f"The user {user} is removed from the room {name}.",
            about=name,
            do=lambda client: operations.remove_member(client, name, user),
            back=_url(name, "change"),
        )

    def _room(self, request: HttpRequest, name: str, *, reading: bool = False) -> HttpResponse:
        def look(client: redis.Redis) -> dict[str, Any]:
            (room,) = stats.rooms(client, [name])
            said = stats.last_in_room(client, name, MESSAGES_SHOWN) if reading else []
            shown = {
                "room": room,
                "members": stats.members(client, name),
                "charts": [_last_hour(client, name), _last_day(client, name)],
                "said": [spoken(line) for line in said],
            }
            if reading:
                self.note(request, about=name, says=f"The last messages of the room {name} were read.")
            return shown

        seen = {
            "reading": reading,
            "here": _url(name, "change"),
            "may_read": request.user.has_perm("chat.read_messages"),
            "may_clear": request.user.has_perm("chat.clear_room"),
            "may_remove": request.user.has_perm("chat.remove_member"),
            "may_close": request.user.has_perm("aleatoria.close_sockets"),
            "messages_url": _url(name, "messages"),
            "clear_url": _url(name, "clear"),
            "quoted": _quoted(name),
        }
        return self.page(request, "chat/room.html", name, look, seen)


class _Heading:
    """A column's heading, and where a click on it leads."""

    def __init__(self, field: str, order: str, *, descending: bool) -> None:
        self.text = _HEADINGS[field]
        self.is_number = field not in ("name", "newest")
        self.sorted = ("descending" if descending else "ascending") if field == order else ""
        # First what one looks for: names from A, everything else from the most.
        falls = not descending if field == order else field != "name"
        self.order = ("-" if falls else "") + field


def _last_hour(client: redis.Redis, room: str) -> SafeString:
    minutes = [float(count) for count in stats.said_in(client, room, seconds=3600, parts=60)]
    return charts.bars(minutes, title="Messages a minute, last hour", starts=_starts(60, 60), ends="now (UTC)")


def _last_day(client: redis.Redis, room: str) -> SafeString:
    quarters = [count / 15 for count in stats.said_in(client, room, seconds=86400, parts=96)]
    return charts.bars(quarters, title="Messages a minute, last day", starts=_starts(96, 900), ends="now (UTC)")


def _starts(parts: int, seconds: int) -> list[str]:
    now = datetime.now(UTC)
    return [f"{now - timedelta(seconds=seconds * back):%H:%M}" for back in range(parts, 0, -1)]


def _named(quoted: str) -> str:
    """The room in a URL; 404 when no room can be called so."""
    try:
        return names.room_name(unquote(quoted.replace(_DOT, ".")))
    except ValueError as error:
        raise Http404 from error


def _quoted(room: str) -> str:
    """The room for a URL. Browsers would take `..` for a way up, so dots are quoted too, as Django quotes the rest."""
    return quote(room).replace(".", _DOT)


def _url(room: str, page: str) -> str:
    return reverse(f"admin:chat_room_{page}", args=[_quoted(room)])


def _page_number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _order(text: str) -> tuple[str, bool]:
    field = text.removeprefix("-")
    return (field, text.startswith("-")) if field in stats.ORDERS else ("messages", True)
