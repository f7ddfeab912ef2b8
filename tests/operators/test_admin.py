"""Rooms, random calls and Valkey in the admin: who may see and do what, what is shown, and what is done."""

import asyncio
import http.client
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
import redis
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils.html import strip_tags

from aleatoria.valkey.health import State
from aleatoria.valkey.link import Address, valkey
from tests.conftest import breaches
from tests.support.histories import History, wire
from tests.support.processes import PATIENCE, ServerProcess, ValkeyProcess
from tests.support.repository import ROOT
from tests.support.tab import Talk
from tests.support.wire import Wire

MakeStaff = Callable[..., Client]

ROOMS, ROOM = "/admin/chat/room/", "/admin/chat/room/attic/change/"
CALLS, VALKEY = "/admin/matchmaking/randomcall/", "/admin/aleatoria/valkeyserver/"
MESSAGES, CLEAR = "/admin/chat/room/attic/messages/", "/admin/chat/room/attic/clear/"
REMOVE, WITHDRAW = "/admin/chat/room/attic/members/ana/remove/", "/admin/matchmaking/randomcall/bob/withdraw/"
CLOSE = "/admin/aleatoria/valkeyserver/sockets/ana/close/"
PAGES = {"rooms": ROOMS, "a room": ROOM, "calls": CALLS, "valkey": VALKEY}
ACTIONS = {"clear": CLEAR, "remove": REMOVE, "withdraw": WITHDRAW, "close": CLOSE}
ALL = [*PAGES.values(), *ACTIONS.values(), MESSAGES]
OPENS = {
    "view_room": [ROOMS, ROOM],
    "read_messages": [MESSAGES],
    "clear_room": [CLEAR],
    "remove_member": [REMOVE],
    "view_randomcall": [CALLS],
    "withdraw_user": [WITHDRAW],
    "view_valkeyserver": [VALKEY],
    "close_sockets": [CLOSE],
}
"""The permissions there are, and what each lets one see or do."""
ODD = {
    "slashes": "a/b//c",
    "only a slash": "/",
    "an address of another page": "attic/members/ana/remove",
    "per cent": "100%25",
    "quotes": "\"so\" 'called'",
    "a script": "<script>alert(1)</script>",
    "a query": "what?a=b&c#d",
    "unicode": "\u010daj \u8336 \U0001f375",
    "what quoting looks like": "a_2Fb_2E",
    "a way up": "..",
    "a dot": ".",
    "backslashes": "C:\\temp",
    "a glob": "[a-z]*?",
    "a name of the admin's": "add",
    "a template": "%(name)s %s",
}
"""Names that rooms may have."""
WITHIN = 3.0
"""Seconds in which a page is there, whatever Valkey does."""


# What is in Valkey


def enters(keys: redis.Redis, room: str, *users: str) -> None:
    """They are members, as if they had joined."""
    with keys.pipeline() as at_once:  # a server that runs strikes out members whose rooms do not have it
        for key, members in [(f"room:members:{room}", users), *((f"user:rooms:{user}", [room]) for user in users)]:
            at_once.sadd(key, *members)
            at_once.expire(key, 86_400)
        at_once.execute()


def comes_online(keys: redis.Redis, *users: str, seconds: float = 25) -> None:
    """They have sockets somewhere."""
    keys.zadd("users:online", {user: time.time() + seconds for user in users})
    keys.expire("users:online", 60)


def said(keys: redis.Redis, room: str, *contents: str, ago: timedelta = timedelta(seconds=30)) -> None:
    """Ana said so, the first so long ago and each next one a microsecond later."""
    history = History("get_recent_messages", "recent_messages", {"room": room}, {"room": room}, f"room:messages:{room}")
    begin = datetime.now(UTC) - ago
    for place, content in enumerate(contents):
        history.plant(keys, history.line(content, wire(begin + timedelta(microseconds=place))))


def waits(keys: redis.Redis, *users: str, seconds: float = 40) -> None:
    """They wait for a call."""
    with keys.pipeline() as at_once:
        at_once.sadd("available:webrtc", *users)
        at_once.zadd("{available:webrtc}:leases", {user: time.time() + seconds for user in users})
        _expire_pool(at_once)
        at_once.execute()


def call(keys: redis.Redis, asked: str, chosen: str) -> None:
    """The two are in a call."""
    with keys.pipeline() as at_once:
        at_once.hset("{available:webrtc}:pairs", mapping={asked: chosen, chosen: asked})
        at_once.sadd("{available:webrtc}:callers", asked)
        at_once.zadd("{available:webrtc}:leases", {user: time.time() + 40 for user in (asked, chosen)})
        _expire_pool(at_once)
        at_once.execute()


def _expire_pool(keys: redis.Redis) -> None:
    for key in ("available:webrtc", *(f"{{available:webrtc}}:{name}" for name in ("leases", "pairs", "callers"))):
        keys.expire(key, 3600)


def counted(keys: redis.Redis, ago: timedelta = timedelta(0), **counts: int) -> None:
    """So much happened then; underscores are spaces, and two of them a colon."""
    then = datetime.now(UTC) - ago
    named = {name.replace("__", ":").replace("_", " "): count for name, count in counts.items()}
    for key in (f"stats:hour:{then:%Y%m%d%H}", f"stats:day:{then:%Y%m%d}"):
        keys.hset(key, mapping=named)  # type: ignore[arg-type] # numbers are fine
        keys.expire(key, 3600)


# Who looks


@pytest.fixture
def staff(db: None, keys: redis.Redis, valkey_process: ValkeyProcess, monkeypatch: pytest.MonkeyPatch) -> MakeStaff:
    """`staff("view_room")`: somebody who may just that, logged in to the application in this process."""
    monkeypatch.setattr(valkey, "address", valkey_process.address)
    monkeypatch.setattr(valkey.health, "state", State.UNKNOWN)

    def make(*permissions: str, is_staff: bool = True, is_superuser: bool = False) -> Client:
        user = User.objects.create_user("olga", is_staff=is_staff, is_superuser=is_superuser)
        found = Permission.objects.filter(codename__in=permissions)
        assert len(found) == len(permissions)
        user.user_permissions.set(found)
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def admin(staff: MakeStaff) -> Client:
    """Somebody who may everything."""
    return staff(is_superuser=True)


# What a page shows


def shown(response: Any) -> str:
    """The HTML of a page that is there."""
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def text(html: str) -> str:
    """What one reads, white space made one space each."""
    return " ".join(unescape(strip_tags(html.replace("<", " <"))).split())


def table(html: str, heading: str) -> list[list[str]]:
    """What is in the rows of the table whose first column is called so."""
    (found,) = (some for some in re.findall(r"<table.*?</table>", html, re.DOTALL) if f">{heading}<" in some)
    rows = re.findall(r"<tr>(.*?)</tr>", found.partition("<tbody>")[2], re.DOTALL)
    return [[text(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]


def facts(html: str) -> dict[str, str]:
    """The numbers of a page by their names."""
    return {text(name): text(value) for name, value in re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", html, re.DOTALL)}


def links(html: str) -> dict[str, str]:
    """Where links and forms of the page's own part lead, by what they are called; of several the last."""
    own = html.partition('id="content-main"')[2]
    anchors = re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', own, re.DOTALL)
    forms = re.findall(r'<form method="post" action="([^"]*)">.*?<button[^>]*>(.*?)</button>', own, re.DOTALL)
    return {text(called): unescape(url) for url, called in [*anchors, *forms]}


def charts(html: str) -> dict[str, list[tuple[float, str]]]:
    """By the caption, how high each bar of a chart is, and what it says."""
    found = {}
    for caption, bars in re.findall(r"<figcaption>(.*?) <span>.*?<svg[^>]*>(.*?)</svg>", html, re.DOTALL):
        rects = re.findall(r'height="([^"]*)"><title>(.*?)</title>', bars)
        found[caption] = [(float(height), title) for height, title in rects]
    return found


def names(html: str) -> list[str]:
    """The rooms of the list."""
    return [row[0] for row in table(html, "Messages")]


def done() -> list[tuple[str, str, str]]:
    """What admin's history says: who, to what, and what was done."""
    entries = LogEntry.objects.order_by("pk").select_related("user")
    return [(entry.user.username, str(entry.object_id), entry.get_change_message()) for entry in entries]


# Who may


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_anonymous_visitor_is_sent_to_the_login(staff: MakeStaff, path: str, method: str) -> None:
    response = getattr(Client(), method)(path)
    assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={path}")


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_user_who_is_not_staff_is_sent_to_the_login_whatever_he_may(staff: MakeStaff, path: str, method: str) -> None:
    response = getattr(staff(*OPENS, is_staff=False), method)(path)
    assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={path}")


@pytest.mark.parametrize("permission", [None, *OPENS])
def test_each_permission_opens_what_it_is_for_and_nothing_else(staff: MakeStaff, permission: str | None) -> None:
    client = staff(*[permission] if permission else [])
    opened = [path for path in ALL if client.post(path).status_code in (200, 302)]
    assert opened == OPENS.get(permission or "", [])
    assert [path for path in ALL if client.post(path).status_code == 403] == [
        path for path in ALL if path not in opened
    ]


@pytest.mark.parametrize("permission", [None, *OPENS])
def test_what_one_may_not_do_one_is_not_asked_about(staff: MakeStaff, permission: str | None) -> None:
    client = staff(*[permission] if permission else [])
    fine = {path for path in ALL if client.get(path).status_code in (200, 405)}
    assert fine == set(OPENS.get(permission or "", []))


@pytest.mark.parametrize("permission", [None, *OPENS])
def test_the_index_names_the_sections_that_one_may_see(staff: MakeStaff, permission: str | None) -> None:
    html = shown(staff(*[permission] if permission else []).get("/admin/"))
    listed = [path for path in (ROOMS, CALLS, VALKEY) if f'href="{path}"' in html]
    assert listed == [path for path in OPENS.get(permission or "", []) if path in (ROOMS, CALLS, VALKEY)]


@pytest.mark.parametrize("path", [ROOM, CALLS, VALKEY])
def test_who_may_only_look_is_offered_nothing_else(staff: MakeStaff, keys: redis.Redis, path: str) -> None:
    enters(keys, "attic", "ana")
    said(keys, "attic", "hello")
    waits(keys, "bob")
    call(keys, "cam", "dan")
    html = shown(staff("view_room", "view_randomcall", "view_valkeyserver").get(path))
    assert links(html) == {}
    assert "Actions" not in html


@pytest.mark.parametrize(
    ("permission", "offers"),
    [
        ("read_messages", {"Read the last messages": MESSAGES}),
        ("clear_room", {"Clear the history": CLEAR}),
        ("remove_member", {"Remove from the room": REMOVE}),
        ("close_sockets", {"Close sockets": f"{CLOSE}?next={ROOM.replace('/', '%2F')}"}),
    ],
)
def test_a_room_offers_what_one_may_do(
    staff: MakeStaff, keys: redis.Redis, permission: str, offers: dict[str, str]
) -> None:
    enters(keys, "attic", "ana")
    said(keys, "attic", "hello")
    assert links(shown(staff("view_room", permission).get(ROOM))) == offers


@pytest.mark.parametrize("path", ACTIONS.values(), ids=ACTIONS)
def test_a_page_of_another_site_cannot_act_for_one(admin: Client, keys: redis.Redis, path: str) -> None:
    enters(keys, "attic", "ana")
    said(keys, "attic", "hello")
    waits(keys, "bob")
    before = {key: keys.dump(key) for key in keys.scan_iter()}
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = admin.cookies
    assert forged.post(path).status_code == 403
    assert {key: keys.dump(key) for key in keys.scan_iter()} == before
    assert done() == []


@pytest.mark.parametrize("section", [ROOMS, CALLS, VALKEY])
@pytest.mark.parametrize("page", ["add/", "ana/delete/", "ana/history/", "ana/"])
def test_there_are_no_rows_to_add_delete_or_look_back_on(admin: Client, section: str, page: str) -> None:
    assert admin.get(section + page).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        f"{ROOMS}{'x' * 65}/change/",
        f"{ROOMS}%20x/change/",
        f"{ROOMS}{'x' * 65}/clear/",
        f"{ROOMS}a%7Bb/members/ana/remove/",
        f"{ROOMS}attic/members/a:b/remove/",
        f"{ROOMS}attic/members/system/remove/",
        f"{CALLS}system/withdraw/",
        f"{VALKEY}sockets/-ana/close/",
    ],
)
def test_what_nobody_can_be_called_is_not_found(admin: Client, path: str) -> None:
    assert admin.get(path).status_code == 404
    assert admin.post(path).status_code == 404


# The list of rooms


def three_rooms(keys: redis.Redis) -> None:
    """Three whose order is another one in each column."""
    two_hours, minute, hour = timedelta(hours=2), timedelta(minutes=1), timedelta(hours=1)
    enters(keys, "attic", "ana", "bob", "cam")
    said(keys, "attic", "x" * 700, "y" * 700, ago=two_hours)
    enters(keys, "Cellar", "dan")
    said(keys, "Cellar", "hello", "you", "there", ago=hour)
    enters(keys, "garden", "eve", "fay")
    said(keys, "garden", "z" * 5000, ago=minute)
    comes_online(keys, "dan", "eve", "fay")
    for room, seconds in {"attic": 30_000, "Cellar": 10_000, "garden": 20_000}.items():
        keys.expire(f"room:members:{room}", seconds)
        keys.expire(f"room:messages:{room}", seconds - 100)


ASCENDING = {
    "name": ["attic", "Cellar", "garden"],
    "members": ["Cellar", "garden", "attic"],
    "online": ["attic", "Cellar", "garden"],
    "messages": ["garden", "attic", "Cellar"],
    "newest": ["attic", "Cellar", "garden"],
    "memory_bytes": ["Cellar", "attic", "garden"],
    "expires_in_seconds": ["Cellar", "garden", "attic"],
}


@pytest.mark.parametrize("column", ASCENDING)
def test_rooms_are_sorted_by_any_column_from_the_least(admin: Client, keys: redis.Redis, column: str) -> None:
    three_rooms(keys)
    html = shown(admin.get(ROOMS, {"o": column}))
    assert names(html) == ASCENDING[column]
    assert re.findall(r'aria-sort="(.*?)"', html) == ["ascending"]


@pytest.mark.parametrize("column", ASCENDING)
def test_rooms_are_sorted_by_any_column_from_the_most(admin: Client, keys: redis.Redis, column: str) -> None:
    three_rooms(keys)
    html = shown(admin.get(ROOMS, {"o": f"-{column}"}))
    assert names(html) == ASCENDING[column][::-1]
    assert re.findall(r'aria-sort="(.*?)"', html) == ["descending"]


def test_rooms_in_which_most_was_said_come_first(admin: Client, keys: redis.Redis) -> None:
    three_rooms(keys)
    assert names(shown(admin.get(ROOMS))) == ["Cellar", "attic", "garden"]


def test_a_second_click_on_a_heading_turns_the_order_round(admin: Client, keys: redis.Redis) -> None:
    three_rooms(keys)
    first = shown(admin.get(ROOMS + links(shown(admin.get(ROOMS)))["Room"]))
    second = shown(admin.get(ROOMS + links(first)["Room"]))
    assert (names(first), names(second)) == (ASCENDING["name"], ASCENDING["name"][::-1])


def test_a_row_says_what_there_is_to_know_of_a_room(admin: Client, keys: redis.Redis) -> None:
    three_rooms(keys)
    (row,) = (row for row in table(shown(admin.get(ROOMS)), "Messages") if row[0] == "attic")
    newest = datetime.now(UTC) - timedelta(hours=2)
    size = sum(keys.memory_usage(f"room:{kind}:attic") or 0 for kind in ("messages", "members"))
    assert row[1:4] == ["3", "0", "2"]
    assert abs(datetime.fromisoformat(f"{row[4]}+00:00") - newest) < timedelta(seconds=10)
    assert row[5] == f"{size / 1024:.1f} KiB"
    assert re.fullmatch("8:19:[45][0-9]|8:20:00", row[6])


def test_a_room_in_which_nothing_was_said_is_listed(admin: Client, keys: redis.Redis) -> None:
    enters(keys, "attic", "ana")
    (row,) = table(shown(admin.get(ROOMS)), "Messages")
    assert row[:5] == ["attic", "1", "0", "0", "\u2013"]


def test_a_room_nobody_is_in_any_more_is_listed(admin: Client, keys: redis.Redis) -> None:
    said(keys, "attic", "hello")
    (row,) = table(shown(admin.get(ROOMS)), "Messages")
    assert row[:4] == ["attic", "0", "0", "1"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("att", ["attic"]),
        ("ATT", ["attic"]),
        ("cel", ["Cellar"]),
        ("r", ["Cellar", "garden"]),
        (" attic ", ["attic"]),
        ("", ["attic", "Cellar", "garden"]),
        ("*", []),
        ("?", []),
        ("[a-z]", []),
        ("a*c", []),
        ("\\", []),
        ("%", []),
        ("\0", []),
        ("x" * 5000, []),
    ],
)
def test_rooms_are_found_by_a_part_of_their_names(
    admin: Client, keys: redis.Redis, wanted: str, found: list[str]
) -> None:
    three_rooms(keys)
    html = shown(admin.get(ROOMS, {"q": wanted, "o": "name"}))
    assert (names(html) if found else []) == found
    assert f"{len(found)} room" in text(html)


@pytest.mark.parametrize("character", ["*", "?", "[", "]", "\\", "%", "\u8336"])
def test_a_character_that_means_something_elsewhere_is_found_where_it_is(
    admin: Client, keys: redis.Redis, character: str
) -> None:
    enters(keys, f"one{character}two", "ana")
    enters(keys, "one and two", "ana")
    html = shown(admin.get(ROOMS, {"q": character}))
    assert names(html) == [f"one{character}two"]


def test_what_is_not_found_is_said_as_it_was_typed(admin: Client) -> None:
    html = shown(admin.get(ROOMS, {"q": '<b>"attic"</b>'}))
    assert 'No room\u2019s name contains \u201c<b>"attic"</b>\u201d.' in text(html)
    assert "<b>" not in html


def test_without_rooms_the_list_says_how_there_come_to_be_some(admin: Client) -> None:
    html = shown(admin.get(ROOMS))
    assert "There are no rooms yet. One is there as soon as somebody joins it." in text(html)
    assert "0 rooms" in text(html)


def many_rooms(keys: redis.Redis, count: int) -> list[str]:
    rooms = [f"room {number:03}" for number in range(count)]
    for room in rooms:
        enters(keys, room, "ana")
    return rooms


def test_fifty_rooms_are_one_page(admin: Client, keys: redis.Redis) -> None:
    rooms = many_rooms(keys, 50)
    html = shown(admin.get(ROOMS, {"o": "name"}))
    assert names(html) == rooms
    assert "page 1" not in text(html)


def test_the_fifty_first_room_is_on_a_second_page(admin: Client, keys: redis.Redis) -> None:
    rooms = many_rooms(keys, 51)
    first = shown(admin.get(ROOMS, {"o": "name"}))
    assert names(first) == rooms[:50]
    assert "51 rooms page 1 of 2 Next" in text(first)
    second = shown(admin.get(ROOMS + links(first)["Next"]))
    assert names(second) == rooms[50:]
    assert "51 rooms Previous page 2 of 2" in text(second)
    assert names(shown(admin.get(ROOMS + links(second)["Previous"]))) == rooms[:50]


def test_the_next_page_is_of_the_same_search_in_the_same_order(admin: Client, keys: redis.Redis) -> None:
    rooms = many_rooms(keys, 51)
    enters(keys, "attic", "bob")
    first = shown(admin.get(ROOMS, {"o": "-name", "q": "ROOM"}))
    second = shown(admin.get(ROOMS + links(first)["Next"]))
    assert names(first) + names(second) == rooms[::-1]


@pytest.mark.parametrize("page", ["3", "99", "999999999"])
def test_behind_the_last_page_there_is_the_last_page(admin: Client, keys: redis.Redis, page: str) -> None:
    rooms = many_rooms(keys, 51)
    html = shown(admin.get(ROOMS, {"o": "name", "p": page}))
    assert names(html) == rooms[50:]
    assert "page 2 of 2" in text(html)


@pytest.mark.parametrize("page", ["-1", "0", "1.5", "two", "\u0662", "99999999999999999999", "0x2", " 2", "2\0"])
def test_what_is_no_number_of_a_page_is_the_first_page(admin: Client, keys: redis.Redis, page: str) -> None:
    rooms = many_rooms(keys, 51)
    assert names(shown(admin.get(ROOMS, {"o": "name", "p": page}))) == rooms[:50]


@pytest.mark.parametrize("order", ["nonsense", "--name", "-", "name,members", "__class__", "1", "-1.2", "NAME"])
def test_what_is_no_order_is_the_usual_one(admin: Client, keys: redis.Redis, order: str) -> None:
    three_rooms(keys)
    assert names(shown(admin.get(ROOMS, {"o": order}))) == ["Cellar", "attic", "garden"]


# A room


def test_a_room_is_shown_with_its_numbers(admin: Client, keys: redis.Redis) -> None:
    three_rooms(keys)
    html = shown(admin.get("/admin/chat/room/garden/change/"))
    numbers = facts(html)
    assert (numbers["Members"], numbers["Online"], numbers["Messages kept"]) == ("2", "2", "1")
    assert numbers["Memory"].endswith(" KiB")
    assert re.fullmatch("5:33:[12][0-9]", numbers["Expires in"])
    assert text(html.partition("<h1>")[2].partition("</h1>")[0]) == "garden"


def test_the_members_of_a_room_are_named_and_whether_they_are_online(admin: Client, keys: redis.Redis) -> None:
    enters(keys, "attic", "cam", "ana", "bob")
    comes_online(keys, "ana")
    comes_online(keys, "cam", seconds=-1)
    html = shown(admin.get(ROOM))
    assert [row[:2] for row in table(html, "User")] == [["ana", "yes"], ["bob", "no"], ["cam", "no"]]


def test_of_very_many_members_some_are_shown(admin: Client, keys: redis.Redis) -> None:
    enters(keys, "attic", *(f"guest-{number}" for number in range(600)))
    html = shown(admin.get(ROOM))
    assert len(table(html, "User")) == 500
    assert "The first 500 of 600 are shown." in text(html)


def test_a_room_that_is_not_there_is_empty(admin: Client) -> None:
    html = shown(admin.get(ROOM))
    assert facts(html) == {
        "Members": "0",
        "Online": "0",
        "Messages kept": "0",
        "Newest (UTC)": "\u2013",
        "Memory": "0 B",
        "Expires in": "0:00:00",
    }
    assert "Nobody is a member." in text(html)
    assert {height for bars in charts(html).values() for height, _ in bars} == {0.0}
    assert links(html) == {}


@pytest.mark.parametrize(
    ("ago", "in_the_last_hour", "in_the_last_day"),
    [
        (timedelta(seconds=30), 59, 95),
        (timedelta(seconds=90), 58, 95),
        (timedelta(minutes=59, seconds=30), 0, 92),
        (timedelta(hours=2, minutes=5), None, 87),
        (timedelta(hours=23, minutes=50), None, 0),
    ],
    ids=["now", "a minute ago", "an hour ago", "two hours ago", "a day ago"],
)
def test_what_was_said_is_a_bar_of_the_charts(
    admin: Client, keys: redis.Redis, ago: timedelta, in_the_last_hour: int | None, in_the_last_day: int
) -> None:
    said(keys, "attic", "one", "two", "three", ago=ago)
    hour, day = charts(shown(admin.get(ROOM))).values()
    assert (len(hour), len(day)) == (60, 96)
    assert [place for place, (height, _) in enumerate(hour) if height] == (
        [] if in_the_last_hour is None else [in_the_last_hour]
    )
    assert [place for place, (height, _) in enumerate(day) if height] == [in_the_last_day]
    assert day[in_the_last_day][1].endswith(": 0.2")  # a minute
    if in_the_last_hour is not None:
        assert hour[in_the_last_hour] == (100, f"{hour[in_the_last_hour][1][:5]}: 3")


# What was said


def test_what_was_said_is_not_shown_unless_one_asks(admin: Client, keys: redis.Redis) -> None:
    enters(keys, "attic", "ana")
    said(keys, "attic", "a secret")
    for path in (ROOMS, ROOM):
        assert "a secret" not in shown(admin.get(path))
    assert done() == []


def test_what_was_said_is_not_shown_to_who_follows_a_link(admin: Client, keys: redis.Redis) -> None:
    said(keys, "attic", "a secret")
    response = admin.get(MESSAGES)
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert b"a secret" not in response.content
    assert done() == []


def test_who_asks_is_shown_the_last_messages_of_a_room(admin: Client, keys: redis.Redis) -> None:
    enters(keys, "attic", "ana")
    said(keys, "attic", *(f"message {number}" for number in range(60)))
    html = shown(admin.post(links(shown(admin.get(ROOM)))["Read the last messages"]))
    rows = table(html, "Said")
    assert [row[1:] for row in rows] == [["ana", f"message {number}"] for number in range(10, 60)]
    assert facts(html)["Members"] == "1"
    assert "Read the last messages" not in links(html)


def test_what_was_said_is_text(admin: Client, keys: redis.Redis) -> None:
    said(keys, "attic", "<script>alert(1)</script>")
    html = shown(admin.post(MESSAGES))
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


@pytest.mark.plants
def test_a_broken_line_is_said_to_be_broken(admin: Client, keys: redis.Redis) -> None:
    said(keys, "attic", "hello")
    keys.zadd("room:messages:attic", {b"\xff{": 1})
    rows = table(shown(admin.post(MESSAGES)), "Said")
    assert [row[2] for row in rows] == ["(this line is broken: `manage.py audit` says how)", "hello"]


def test_who_has_read_messages_is_noted_but_not_what_they_say(
    admin: Client, keys: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    said(keys, "attic", "a secret")
    admin.post(MESSAGES)
    assert done() == [("olga", "attic", "The last messages of the room attic were read.")]
    assert [record.getMessage() for record in caplog.records if record.name == "aleatoria.operators.console"] == [
        "olga in the admin: The last messages of the room attic were read."
    ]
    assert "a secret" not in caplog.text


# Random calls


def test_who_waits_and_who_is_in_a_call_is_shown(admin: Client, keys: redis.Redis) -> None:
    waits(keys, "bob", "ana")
    call(keys, "zoe", "cam")
    html = shown(admin.get(CALLS))
    assert (facts(html)["Waiting"], facts(html)["Calls"]) == ("2", "1")
    assert [row[0] for row in table(html, "User")] == ["ana", "bob"]
    assert [row[:2] for row in table(html, "Asked")] == [["zoe", "cam"]]


def test_how_long_one_who_waits_counts_as_alive_is_shown(admin: Client, keys: redis.Redis) -> None:
    waits(keys, "ana", seconds=3725.9)
    ((_, alive, _),) = table(shown(admin.get(CALLS)), "User")
    assert re.fullmatch("1:02:0[3-6]", alive)


def test_one_whose_lease_has_run_out_counts_as_alive_no_longer(admin: Client, keys: redis.Redis) -> None:
    waits(keys, "ana", seconds=-5)
    ((_, alive, _),) = table(shown(admin.get(CALLS)), "User")
    assert alive == "no longer"


@pytest.mark.plants
def test_one_who_waits_without_a_lease_is_shown(admin: Client, keys: redis.Redis) -> None:
    keys.sadd("available:webrtc", "ana")
    ((_, alive, _),) = table(shown(admin.get(CALLS)), "User")
    assert alive == "no lease"


def test_when_nobody_waits_or_calls_the_page_says_so(admin: Client) -> None:
    html = shown(admin.get(CALLS))
    assert "Nobody waits." in text(html)
    assert "No call is up." in text(html)
    assert facts(html) == {
        "Waiting": "0", "Calls": "0", "Median wait, last day": "\u2013", "Pairs, last day": "0"
    }  # fmt: skip


def test_pairs_and_waits_of_the_last_day_are_shown(admin: Client, keys: redis.Redis) -> None:
    counted(keys, matches=30, waits__longer=0)
    counted(keys, timedelta(hours=5), matches=12)
    counted(keys, timedelta(hours=30), matches=1000)
    html = shown(admin.get(CALLS))
    assert facts(html)["Pairs, last day"] == "42"
    (bars,) = charts(html).values()
    assert [(place, height) for place, (height, _) in enumerate(bars) if height] == [(18, 40), (23, 100)]


# Valkey


def test_valkey_is_shown_with_its_numbers(admin: Client, keys: redis.Redis) -> None:
    keys.set("something", "else", ex=60)
    html = shown(admin.get(VALKEY))
    numbers = facts(html)
    assert numbers["Server"].startswith("Valkey ")
    assert numbers["Server"].endswith(", master")
    assert (numbers["Keys"], numbers["Persistence"]) == ("1", "none")
    assert "None has reported in the last seconds." in text(html)
    assert "Nothing has been counted yet." in text(html)


def test_what_was_counted_is_shown_by_hours_and_days(admin: Client, keys: redis.Redis) -> None:
    counted(keys, messages=1500, direct_messages=500, matches=3, connections=7, histories_found=4, histories_degraded=1)
    html = shown(admin.get(VALKEY))
    (bars,) = charts(html).values()
    assert len(bars) == 24
    assert bars[-1] == (100, f"{datetime.now(UTC):%H}:00: 2000")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert table(html, "Day (UTC)") == [[today, "1500", "500", "3", "7"]]
    numbers = facts(html)
    assert (numbers["Found something"], numbers["Nothing was kept"], numbers["Valkey was away"]) == ("4", "0", "1")


def test_the_server_processes_are_shown(admin: Client, keys: redis.Redis) -> None:
    for pid in (12, 7):
        report: dict[str, str] = {
            "host": "<b>",
            "pid": str(pid),
            "version": "1.0",
            "sockets": "3",
            "users": "2",
            "rooms": "1",
        }
        keys.hset(f"stats:process:{pid}", mapping=report)  # type: ignore[arg-type] # texts are fine
        keys.expire(f"stats:process:{pid}", 20)
    html = shown(admin.get(VALKEY))
    assert table(html, "Host") == [["<b>", "7", "1.0", "3", "2", "1"], ["<b>", "12", "1.0", "3", "2", "1"]]
    assert "<b>" not in html


# Odd names


@pytest.mark.parametrize("room", ODD.values(), ids=ODD)
def test_a_room_is_shown_whatever_it_is_called(admin: Client, keys: redis.Redis, room: str) -> None:
    enters(keys, room, "ana", "bob")
    listed = shown(admin.get(ROOMS))
    assert names(listed) == [room]
    url = links(listed)[room]
    assert not {".", ".."}.intersection(url.split("/"))  # a browser would take them for a way
    html = shown(admin.get(url))
    assert facts(html)["Members"] == "2"
    assert text(html.partition("<h1>")[2].partition("</h1>")[0]) == room
    assert "<script>alert" not in listed + html


@pytest.mark.parametrize("room", ODD.values(), ids=ODD)
def test_a_room_is_cleared_whatever_it_is_called(admin: Client, keys: redis.Redis, room: str) -> None:
    enters(keys, room, "ana")
    said(keys, room, "hello")
    url = links(shown(admin.get(ROOMS)))[room]
    clear = links(shown(admin.get(url)))["Clear the history"]
    asked = shown(admin.get(clear))
    assert f"Forget everything that was said in the room {room}? It cannot be undone." in text(asked)
    assert links(asked)["No, take me back"] == url
    after = admin.post(clear, {"next": url}, follow=True)
    assert after.redirect_chain == [(url, 302)]
    assert f"The history of the room {room} is cleared." in text(shown(after))
    assert "<script>alert" not in asked + shown(after)
    assert not keys.exists(f"room:messages:{room}")
    assert done() == [("olga", room, f"The history of the room {room} is cleared.")]


@pytest.mark.parametrize("room", ODD.values(), ids=ODD)
def test_a_member_is_removed_from_a_room_whatever_it_is_called(admin: Client, keys: redis.Redis, room: str) -> None:
    enters(keys, room, "ana~@+-1")
    url = links(shown(admin.get(ROOMS)))[room]
    remove = links(shown(admin.get(url)))["Remove from the room"]
    assert f"Remove ana~@+-1 from the room {room}?" in text(shown(admin.get(remove)))
    assert admin.post(remove)["Location"] == url
    assert not keys.exists(f"room:members:{room}", "user:rooms:ana~@+-1")


@pytest.mark.parametrize("room", ODD.values(), ids=ODD)
def test_messages_of_a_room_are_read_whatever_it_is_called(admin: Client, keys: redis.Redis, room: str) -> None:
    said(keys, room, "hello")
    url = links(shown(admin.get(ROOMS)))[room]
    html = shown(admin.post(links(shown(admin.get(url)))["Read the last messages"]))
    assert [row[1:] for row in table(html, "Said")] == [["ana", "hello"]]
    assert done() == [("olga", room, f"The last messages of the room {room} were read.")]


# What is done


QUESTIONS = {
    "clear": "Forget everything that was said in the room attic? It cannot be undone.",
    "remove": "Remove ana from the room attic? He may join again.",
    "withdraw": "Take bob out of the pool? He waits no longer, until he asks again.",
    "close": "Close all sockets of ana, on every process? A call of his ends. He may come back.",
}
DONE = {
    "clear": ("attic", "The history of the room attic is cleared."),
    "remove": ("attic", "The user ana is removed from the room attic."),
    "withdraw": ("bob", "The user bob is taken out of the pool."),
    "close": ("ana", "All sockets of ana are closed."),
}
BACK = {"clear": ROOM, "remove": ROOM, "withdraw": CALLS, "close": VALKEY}


def something_of_all(keys: redis.Redis) -> None:
    """Something for each action to change."""
    enters(keys, "attic", "ana", "bob")
    said(keys, "attic", "hello")
    waits(keys, "bob", "cam")


@pytest.mark.parametrize("action", ACTIONS)
def test_first_one_is_asked_and_nothing_is_changed(admin: Client, keys: redis.Redis, action: str) -> None:
    something_of_all(keys)
    before = {key: keys.dump(key) for key in keys.scan_iter()}
    html = shown(admin.get(ACTIONS[action]))
    assert QUESTIONS[action] in text(html)
    assert links(html) == {"No, take me back": BACK[action]}
    assert {key: keys.dump(key) for key in keys.scan_iter()} == before
    assert done() == []


@pytest.mark.parametrize("action", ACTIONS)
def test_what_is_done_is_said_and_noted_and_one_is_where_one_was(
    admin: Client, keys: redis.Redis, caplog: pytest.LogCaptureFixture, action: str
) -> None:
    something_of_all(keys)
    response = admin.post(ACTIONS[action], follow=True)
    assert response.redirect_chain == [(BACK[action], 302)]
    about, says = DONE[action]
    assert re.findall(r'<li class="success">(.*?)</li>', shown(response)) == [says]
    assert done() == [("olga", about, says)]
    logged = [record.getMessage() for record in caplog.records if record.name == "aleatoria.operators.console"]
    assert logged == [f"olga in the admin: {says}"]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("how", ["get", "post"])
def test_one_goes_back_to_where_one_came_from(admin: Client, keys: redis.Redis, action: str, how: str) -> None:
    something_of_all(keys)
    came_from = f"{ROOMS}?q=attic&p=2"
    if how == "get":
        html = shown(admin.get(ACTIONS[action], {"next": came_from}))
        assert links(html)["No, take me back"] == came_from
        assert f'name="next" value="{came_from.replace("&", "&amp;")}"' in html
    assert admin.post(ACTIONS[action], {"next": came_from})["Location"] == came_from


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example",
        "https://evil.example/admin/",
        "//evil.example",
        "/\\evil.example",
        "///evil.example",
        "javascript:alert(1)",
        "https:///evil.example",
        "http://testserver@evil.example/",
        " //evil.example",
    ],
)
@pytest.mark.parametrize("action", ["clear", "close"])
def test_nobody_can_have_one_sent_elsewhere(admin: Client, keys: redis.Redis, action: str, elsewhere: str) -> None:
    something_of_all(keys)
    assert links(shown(admin.get(ACTIONS[action], {"next": elsewhere})))["No, take me back"] == BACK[action]
    assert admin.post(ACTIONS[action], {"next": elsewhere})["Location"] == BACK[action]


@pytest.mark.parametrize("action", ACTIONS)
def test_what_was_done_lately_leads_to_a_page(admin: Client, keys: redis.Redis, action: str) -> None:
    something_of_all(keys)
    admin.post(ACTIONS[action])
    html = shown(admin.get("/admin/"))
    (url,) = re.findall(r'<li class="changelink">.*?<a href="(.*?)"', html, re.DOTALL)
    response = admin.get(url, follow=True)
    assert response.status_code == 200
    assert response.request["PATH_INFO"] == BACK[action]


def test_clearing_forgets_what_was_said_and_leaves_the_members_and_other_rooms(
    admin: Client, keys: redis.Redis
) -> None:
    something_of_all(keys)
    said(keys, "attic 2", "hello")
    admin.post(CLEAR)
    assert not keys.exists("room:messages:attic")
    assert keys.scard("room:members:attic") == 2
    assert keys.zcard("room:messages:attic 2") == 1


def test_removing_a_member_leaves_his_other_rooms_and_the_other_members(admin: Client, keys: redis.Redis) -> None:
    enters(keys, "attic", "ana", "bob")
    enters(keys, "cellar", "ana")
    admin.post(REMOVE)
    assert keys.smembers("room:members:attic") == {b"bob"}
    assert keys.smembers("user:rooms:ana") == {b"cellar"}


def test_one_who_is_not_there_is_removed_all_the_same(admin: Client, keys: redis.Redis) -> None:
    for path in ACTIONS.values():
        assert admin.post(path).status_code == 302
    assert list(keys.scan_iter()) == []


def test_taking_a_user_out_of_the_pool_leaves_the_others_and_the_calls(admin: Client, keys: redis.Redis) -> None:
    waits(keys, "bob", "cam")
    call(keys, "dan", "eve")
    admin.post(WITHDRAW)
    assert keys.smembers("available:webrtc") == {b"cam"}
    assert keys.hlen("{available:webrtc}:pairs") == 2


def test_one_who_is_in_a_call_stays_in_it_when_he_is_taken_out_of_the_pool(admin: Client, keys: redis.Redis) -> None:
    call(keys, "bob", "cam")
    admin.post(WITHDRAW)
    assert keys.hget("{available:webrtc}:pairs", "bob") == b"cam"


# What is heard of it, on servers in processes of their own


class Answer(NamedTuple):
    """What a server answers."""

    status: int
    location: str
    html: str


class Prepared(NamedTuple):
    """A database with Olga in it, who may everything."""

    directory: Path
    session: str
    """The key of a session of hers."""

    def server(self, name: str, address: Address, **environment: str) -> ServerProcess:
        """A server that uses it."""
        where = {"VALKEY_HOST": address.host, "VALKEY_PORT": str(address.port), "DATA_DIR": str(self.directory)}
        return ServerProcess(self.directory / name, **(where | environment))

    def noted(self) -> list[str]:
        """What admin's history says has been done."""
        database = sqlite3.connect(f"file:{self.directory / 'aleatoria.sqlite3'}?mode=ro", uri=True)
        try:
            return [says for (says,) in database.execute("select change_message from django_admin_log order by id")]
        finally:
            database.close()


PASSWORD = "correct horse battery"
_PREPARE = f"""
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
client = Client()
client.force_login(User.objects.create_superuser("olga", password="{PASSWORD}"))
print(client.session.session_key)
"""


def prepare(directory: Path) -> Prepared:
    """Make a database in this directory."""
    environment = ServerProcess(directory, DATA_DIR=str(directory)).environment
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", _PREPARE]
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return Prepared(directory, ran.stdout.split()[-1])


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """One database for all servers of this module."""
    return prepare(tmp_path_factory.mktemp("admin"))


class Operator:
    """Olga's browser, in the admin of a server."""

    def __init__(self, server: ServerProcess, session: str) -> None:
        self._server = server
        self._cookies = SimpleCookie({"sessionid": session, "csrftoken": "t" * 32})

    def get(self, path: str) -> Answer:
        """Look at a page."""
        return self._ask("GET", path)

    def post(self, path: str, **fields: str) -> Answer:
        """Do something."""
        return self._ask("POST", path, urlencode(fields | {"csrfmiddlewaretoken": self._cookies["csrftoken"].value}))

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=PATIENCE)
        headers = {"Cookie": "; ".join(f"{name}={morsel.coded_value}" for name, morsel in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            for cookie in response.headers.get_all("Set-Cookie", []):
                self._cookies.load(cookie)
            return Answer(response.status, response.headers.get("Location", ""), response.read().decode())
        finally:
            connection.close()


class Site(NamedTuple):
    """Two server processes on one Valkey and one database, and who runs them."""

    here: str
    there: str
    operator: Operator
    keys: redis.Redis


@pytest.fixture(scope="module")
def running(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """They run for all tests of this module, on a Valkey of their own: other tests count what is in theirs."""
    with ValkeyProcess(tmp_path_factory.mktemp("site")) as own:
        one, two = (prepared.server(name, own.address, CALL_LEASE_SECONDS="3") for name in ("one", "two"))
        with one, two:
            yield Site(one.url, two.url, Operator(one, prepared.session), own.client)


@pytest.fixture
def site(running: Site) -> Iterator[Site]:
    """With nothing in its Valkey at first; what must always hold of it holds at the end."""
    running.keys.flushall()
    yield running
    assert breaches(running.keys) == []


async def connected(*tabs: Talk) -> None:
    """Returns when each hears what is for its user."""
    for one in tabs:
        await one.heard()


async def test_a_member_who_is_removed_hears_so_and_the_room_no_more(site: Site) -> None:
    async with Wire(site.here, "ana", room="attic") as ana, Wire(site.there, "bob", room="attic") as bob:
        await connected(ana, bob)
        assert site.operator.post(REMOVE).location == ROOM
        left = await ana.hears("room_left")
        assert left["room"] == "attic"
        await bob.says("is she gone?")
        assert await bob.hears_said() == "is she gone?"
        await ana.hears_nothing()
        assert (await ana.asks("get_rooms", "rooms_list"))["rooms"] == []
        assert site.keys.smembers("room:members:attic") == {b"bob"}


async def test_all_tabs_of_a_removed_member_hear_so_and_nobody_else_does(site: Site) -> None:
    async with (
        Wire(site.here, "ana", room="attic") as ana,
        Wire(site.there, "ana", room="attic") as again,
        Wire(site.there, "bob", room="attic") as bob,
    ):
        await bob.writes("ana", "are you both there?")
        for one in (ana, again):
            await one.hears_until("are you both there?")
        site.operator.post(REMOVE)
        for one in (ana, again):
            assert (await one.hears("room_left"))["room"] == "attic"
        assert [frame["payload"]["content"] for frame in await bob.heard()] == ["are you both there?"]


async def test_a_removed_member_may_join_again(site: Site) -> None:
    async with Wire(site.here, "ana", room="attic") as ana:
        await connected(ana)
        site.operator.post(REMOVE)
        await ana.hears("room_left")
        await ana.asks("join_room", "room_joined", room="attic")
        await ana.says("here I am")
        assert await ana.hears_said() == "here I am"


async def test_a_cleared_room_has_no_history_and_goes_on(site: Site) -> None:
    async with Wire(site.there, "ana", room="attic") as ana:
        await ana.says("before")
        await ana.hears_said()
        assert site.operator.post(CLEAR).location == ROOM
        await ana.says("after")
        await ana.hears_said()
        answer = await ana.asks("get_recent_messages", "recent_messages", room="attic")
        assert [message["payload"]["content"] for message in answer["messages"]] == ["after"]


@pytest.mark.parametrize("path", ["/ws", "/ws/chat", "/ws/matchmaking"])
async def test_all_sockets_of_a_user_are_closed_on_every_process(site: Site, path: str) -> None:
    async with (
        Wire(site.here, "ana", path=path) as here,
        Wire(site.there, "ana", path=path) as there,
        Wire(site.there, "bob", path="/ws/chat") as bob,
    ):
        await connected(bob)
        assert site.operator.post(CLOSE).location == VALKEY
        assert [await one.hears_close() for one in (here, there)] == [4403, 4403]
        await bob.hears_nothing()


async def test_the_call_of_a_user_whose_sockets_are_closed_is_over(site: Site) -> None:
    # Wherever she has sockets: each process is told, and none waits for another.
    here, there = Wire(site.here, "eve"), Wire(site.there, "eve")
    async with here as eve, there, Wire(site.there, "bob", path="/ws/matchmaking") as bob:
        await bob.asks("request_random_peer", "no_peer_available")
        await eve.asks("request_random_peer", "assign_role")
        await bob.hears("assign_role")
        site.operator.post(CLOSE.replace("ana", "eve"))
        assert await eve.hears_close() == 4403
        over = await bob.hears("hangup")
        assert (over["fromUser"], over["payload"]["reason"]) == ("eve", "disconnected")


async def test_a_user_whose_sockets_were_closed_may_come_back(site: Site) -> None:
    async with Wire(site.here, "ana", room="attic") as ana:
        await connected(ana)
        site.operator.post(CLOSE)
        await ana.hears_close()
    async with Wire(site.here, "ana", room="attic") as ana:
        await ana.says("again")
        assert await ana.hears_said() == "again"


async def test_who_is_taken_out_of_the_pool_is_not_given_to_the_next(site: Site) -> None:
    path = "/ws/matchmaking"
    async with Wire(site.here, "bob", path=path) as bob, Wire(site.there, "cam", path=path) as cam:
        await bob.asks("request_random_peer", "no_peer_available")
        assert site.operator.post(WITHDRAW).location == CALLS
        await cam.asks("request_random_peer", "no_peer_available")
        # Until he asks again.
        assert (await bob.asks("request_random_peer", "assign_role"))["peerId"] == "cam"


async def test_the_socket_of_who_is_taken_out_of_the_pool_knows(site: Site) -> None:
    path = "/ws/matchmaking"
    async with Wire(site.here, "bob", path=path) as bob, Wire(site.here, "cam", path=path) as cam:
        for one in (bob, cam):
            await one.sends("user_available_webrtc")
        await _until(lambda: site.keys.scard("available:webrtc") == 2)
        site.operator.post(WITHDRAW)
        # The process tells a Valkey that has lost everything of those who wait, as far as it knows.
        site.keys.flushall()
        await _until(lambda: site.keys.scard("available:webrtc") > 0)
        assert site.keys.smembers("available:webrtc") == {b"cam"}


async def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_a_page_says_that_valkey_is_up(site: Site) -> None:
    assert facts(site.operator.get(VALKEY).html)["As this process sees it"] == "up"


# While Valkey is away


class Lonely(NamedTuple):
    """A server with a Valkey of its own, which comes and goes."""

    valkey: ValkeyProcess
    operator: Operator

    def goes(self, how: str) -> None:
        """Valkey is killed, or hangs."""
        if how == "killed":
            self.valkey.kill()
        else:
            self.valkey.hang()

    def comes_back(self, how: str) -> None:
        """From either; the server knows."""
        if how == "killed":
            self.valkey.start()
        else:
            self.valkey.go_on()
        self.knows("up")

    def knows(self, state: str) -> None:
        """Returns when the server knows this of its Valkey."""
        deadline = time.monotonic() + PATIENCE
        while f'"state": "{state}"' not in self.operator.get("/ready").html:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def looks(self, path: str) -> Answer:
        """A page, which must come in time."""
        return self._promptly(lambda: self.operator.get(path))

    def does(self, path: str, **fields: str) -> Answer:
        """The answer to an action, which must come in time."""
        return self._promptly(lambda: self.operator.post(path, **fields))

    def _promptly(self, ask: Callable[[], Answer]) -> Answer:
        began = time.monotonic()
        answer = ask()
        assert time.monotonic() - began < WITHIN
        return answer

    def says_that_nothing_was_done(self) -> bool:
        """On the next page."""
        html = self.looks("/admin/auth/user/").html
        (error,) = re.findall(r'<li class="error">(.*?)</li>', html)
        return str(error).startswith(f"Nothing has been done. Valkey/Redis at {self.valkey.address} ")


@contextmanager
def _alone(prepared: Prepared, directory: Path) -> Iterator[Lonely]:
    with ValkeyProcess(directory) as own, prepared.server(directory.name, own.address) as server:
        one = Lonely(own, Operator(server, prepared.session))
        one.knows("up")
        yield one


@pytest.fixture(scope="module")
def lonely(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lonely]:
    """One whose Valkey is there at the beginning and at the end of each test."""
    with _alone(prepared, tmp_path_factory.mktemp("lonely")) as one:
        yield one


@pytest.fixture(scope="module")
def left(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Lonely]]:
    """Two that know that their Valkeys have gone away, each in another way."""
    with ExitStack() as stack:
        ones = {how: stack.enter_context(_alone(prepared, tmp_path_factory.mktemp(how))) for how in ("killed", "hung")}
        for how, one in ones.items():
            one.goes(how)
        for one in ones.values():
            one.knows("down")
        yield ones
        ones["hung"].valkey.go_on()  # its server ends sooner


def is_away(page: str, one: Lonely) -> bool:
    """Whether a page says that Valkey is, and does not say that there is nothing in it."""
    html = page.partition('id="content-main"')[2]
    says = f"Valkey/Redis at {one.valkey.address} " in html and "chat and calls go on without it" in html
    return says and not re.search("There are no|Nobody|No call|None has|Nothing has", html)


@pytest.mark.parametrize("how", ["killed", "hung"])
@pytest.mark.parametrize("page", PAGES)
def test_without_valkey_a_page_is_there_and_says_so(left: dict[str, Lonely], how: str, page: str) -> None:
    answer = left[how].looks(PAGES[page])
    assert answer.status == 200
    assert is_away(answer.html, left[how])


@pytest.mark.parametrize("how", ["killed", "hung"])
def test_the_page_about_valkey_says_since_when_it_is_away(left: dict[str, Lonely], how: str) -> None:
    known = facts(left[how].looks(VALKEY).html)
    assert known.keys() == {"As this process sees it", "Degraded since"}
    assert known["As this process sees it"] == "down"
    since = datetime.fromisoformat(known["Degraded since"].replace(" UTC", "+00:00"))
    assert timedelta(0) <= datetime.now(UTC) - since < timedelta(minutes=5)


@pytest.mark.parametrize("how", ["killed", "hung"])
@pytest.mark.parametrize("page", ["/admin/", "/admin/auth/user/", *ACTIONS.values()])
def test_without_valkey_pages_that_need_none_are_there(left: dict[str, Lonely], how: str, page: str) -> None:
    assert left[how].looks(page).status == 200


@pytest.mark.parametrize("how", ["killed", "hung"])
@pytest.mark.parametrize("action", ACTIONS)
def test_without_valkey_an_action_says_that_nothing_has_been_done_and_is_not_noted(
    left: dict[str, Lonely], prepared: Prepared, how: str, action: str
) -> None:
    before = prepared.noted()
    answer = left[how].does(ACTIONS[action], next="/admin/")
    assert (answer.status, answer.location) == (302, "/admin/")
    assert left[how].says_that_nothing_was_done()
    assert prepared.noted() == before


@pytest.mark.parametrize("how", ["killed", "hung"])
def test_messages_that_could_not_be_read_are_not_noted_as_read(
    left: dict[str, Lonely], prepared: Prepared, how: str
) -> None:
    before = prepared.noted()
    answer = left[how].does(MESSAGES)
    assert answer.status == 200
    assert is_away(answer.html, left[how])
    assert prepared.noted() == before


@pytest.fixture
def hung(lonely: Lonely) -> Iterator[Lonely]:
    """One whose Valkey hangs since this very moment, so that the server does not know."""
    lonely.goes("hung")
    yield lonely
    lonely.comes_back("hung")


@pytest.mark.parametrize("path", [ROOMS, VALKEY])
def test_a_page_does_not_wait_long_for_a_valkey_that_hangs(hung: Lonely, path: str) -> None:
    answer = hung.looks(path)
    assert answer.status == 200
    assert is_away(answer.html, hung)


def test_an_action_does_not_wait_long_for_a_valkey_that_hangs(hung: Lonely, prepared: Prepared) -> None:
    before = prepared.noted()
    assert hung.does(CLEAR).location == ROOM
    assert hung.says_that_nothing_was_done()
    assert prepared.noted() == before


@pytest.mark.parametrize("how", ["killed", "hung"])
def test_when_valkey_is_back_so_are_the_pages(lonely: Lonely, how: str) -> None:
    lonely.goes(how)
    lonely.knows("down")
    lonely.comes_back(how)
    html = lonely.looks(ROOMS).html
    assert "There are no rooms yet." in html
    assert not is_away(html, lonely)


def test_a_process_that_runs_is_shown(lonely: Lonely) -> None:
    deadline = time.monotonic() + PATIENCE
    while not list(lonely.valkey.client.scan_iter("stats:process:*")):  # it reports every few seconds
        assert time.monotonic() < deadline
        time.sleep(0.05)
    ((_, pid, *numbers),) = table(lonely.looks(VALKEY).html, "Host")
    assert pid.isdigit()
    assert numbers[1:] == ["0", "0", "0"]
