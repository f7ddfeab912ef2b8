"""Names of rooms in the URLs of the admin. A room may be called nearly anything."""

from django.contrib.admin.utils import quote, unquote
from django.http import Http404
from django.urls import reverse

from aleatoria.wire import names

_DOT = "_2E"


def quoted(room: str) -> str:
    """Return the room for a URL. Dots are quoted too, since a browser removes `..` and the part before it."""
    return quote(room).replace(".", _DOT)


def unquoted(text: str) -> str:
    """Return the room that a URL names. Raises Http404 when no room can have that name."""
    try:
        return names.room_name(unquote(text.replace(_DOT, ".")))
    except ValueError as error:
        raise Http404 from error


def url(room: str, page: str) -> str:
    """Return the URL of one of the pages of a room."""
    return reverse(f"admin:chat_room_{page}", args=[quoted(room)])
