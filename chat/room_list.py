"""The admin's list of rooms: how it is searched, sorted and split into pages."""

from typing import Any, NamedTuple

import redis
from django.http import QueryDict

from chat.stats.rooms import ORDERS, RoomStats, page_of_rooms

ROOMS_A_PAGE = 50
_HEADINGS = {
    "name": "Room",
    "members": "Members",
    "online": "Online",
    "messages": "Messages",
    "newest": "Newest (UTC)",
    "memory_bytes": "Memory",
    "expires_in_seconds": "Expires in",
}


class RoomList(NamedTuple):
    """Which page of which rooms is asked for, and in which order."""

    containing: str
    """A part of the rooms' names."""
    number: int
    """Of the page, from 1."""
    order: str
    descending: bool

    @classmethod
    def asked_for(cls, query: QueryDict) -> "RoomList":
        """Read the query of a request. Fields that make no sense have their defaults."""
        order, descending = _order(query.get("o", ""))
        return cls(query.get("q", "").strip(), _page_number(query.get("p", "")), order, descending)

    @property
    def sorting(self) -> dict[str, Any]:
        """What the template needs to show the search and the headings, by name."""
        headings = [Heading(field, self.order, descending=self.descending) for field in _HEADINGS]
        order = ("-" if self.descending else "") + self.order
        return {"containing": self.containing, "order": order, "columns": headings}

    def read(self, client: redis.Redis) -> tuple[list[RoomStats], dict[str, int]]:
        """Return the rooms of the page, the last page if there are not so many, and the numbers that go with it."""
        rooms, total = self._page(client, self.number)
        pages = max(1, -(-total // ROOMS_A_PAGE))
        if self.number > pages:
            rooms, total = self._page(client, pages)
        return rooms, {"total": total, "number": min(self.number, pages), "pages": pages}

    def _page(self, client: redis.Redis, number: int) -> tuple[list[RoomStats], int]:
        return page_of_rooms(
            client,
            containing=self.containing,
            order=self.order,
            descending=self.descending,
            start=(number - 1) * ROOMS_A_PAGE,
            count=ROOMS_A_PAGE,
        )


class Heading:
    """The heading of a column, and the order that a click on it asks for."""

    def __init__(self, field: str, order: str, *, descending: bool) -> None:
        self.text = _HEADINGS[field]
        self.is_number = field not in ("name", "newest")
        self.sorted = ("descending" if descending else "ascending") if field == order else ""
        # The first click sorts names from A, and everything else from the largest value.
        falls = not descending if field == order else field != "name"
        self.order = ("-" if falls else "") + field


def _page_number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _order(text: str) -> tuple[str, bool]:
    field = text.removeprefix("-")
    return (field, text.startswith("-")) if field in ORDERS else ("messages", True)
