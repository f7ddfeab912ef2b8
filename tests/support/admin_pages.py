"""The admin's pages: their addresses, and what is read from their HTML."""

import re
from html import unescape
from typing import Any

from django.contrib.admin.models import LogEntry
from django.utils.html import strip_tags

ROOMS, ROOM = "/admin/chat/room/", "/admin/chat/room/attic/change/"
CALLS, VALKEY = "/admin/matchmaking/randomcall/", "/admin/aleatoria/valkeyserver/"
MESSAGES, CLEAR = "/admin/chat/room/attic/messages/", "/admin/chat/room/attic/clear/"
REMOVE, WITHDRAW = "/admin/chat/room/attic/members/ana/remove/", "/admin/matchmaking/randomcall/bob/withdraw/"
CLOSE = "/admin/aleatoria/valkeyserver/sockets/ana/close/"
PAGES = {"rooms": ROOMS, "a room": ROOM, "calls": CALLS, "valkey": VALKEY}
ACTIONS = {"clear": CLEAR, "remove": REMOVE, "withdraw": WITHDRAW, "close": CLOSE}
SECTIONS = [ROOMS, CALLS, VALKEY]
"""The first page of each section."""
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
"""Each permission, and the paths that it opens."""
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
"""Unusual names that rooms may have."""


def shown(response: Any) -> str:
    """Return the HTML of a page, which must exist."""
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def text(html: str) -> str:
    """Return the text of HTML, with white space collapsed."""
    return " ".join(unescape(strip_tags(html.replace("<", " <"))).split())


def table(html: str, heading: str) -> list[list[str]]:
    """Return the cells of the table that has a column with this heading, row by row."""
    (found,) = (some for some in re.findall(r"<table.*?</table>", html, re.DOTALL) if f">{heading}<" in some)
    rows = re.findall(r"<tr>(.*?)</tr>", found.partition("<tbody>")[2], re.DOTALL)
    return [[text(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]


def facts(html: str) -> dict[str, str]:
    """Return the numbers of a page by their labels."""
    return {text(name): text(value) for name, value in re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", html, re.DOTALL)}


def links(html: str) -> dict[str, str]:
    """Return the URLs of links and forms in the page's content by their text. The last one wins."""
    own = html.partition('id="content-main"')[2]
    anchors = re.findall(r'<a\s[^>]*?href="([^"]*)"[^>]*>(.*?)</a>', own, re.DOTALL)
    forms = re.findall(r'<form\s+method="post"\s+action="([^"]*)">.*?<button[^>]*>(.*?)</button>', own, re.DOTALL)
    return {text(called): unescape(url) for url, called in [*anchors, *forms]}


def charts(html: str) -> dict[str, list[tuple[float, str]]]:
    """Return the height and the title of each bar of each chart, by the chart's caption."""
    found = {}
    for caption, bars in re.findall(r"<figcaption>(.*?) <span>.*?<svg[^>]*>(.*?)</svg>", html, re.DOTALL):
        rects = re.findall(r'height="([^"]*)"><title>(.*?)</title>', bars)
        found[caption] = [(float(height), title) for height, title in rects]
    return found


def names(html: str) -> list[str]:
    """Return the rooms of the list."""
    return [row[0] for row in table(html, "Messages")]


def done() -> list[tuple[str, str, str]]:
    """Return the entries of the admin's history: who, to what, and what was done."""
    entries = LogEntry.objects.order_by("pk").select_related("user")
    return [(entry.user.username, str(entry.object_id), entry.get_change_message()) for entry in entries]
