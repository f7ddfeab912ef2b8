"""Every page and action of the admin works for a room, whatever its name."""

import pytest
import redis
from django.test import Client

from tests.support.admin_pages import ODD, ROOMS, done, facts, links, names, shown, table, text
from tests.support.planted import enters, said


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
    assert f"Delete all messages of the room {room}? This cannot be undone." in text(asked)
    assert links(asked)["No, take me back"] == url
    after = admin.post(clear, {"next": url}, follow=True)
    assert after.redirect_chain == [(url, 302)]
    assert f"The history of the room {room} was cleared." in text(shown(after))
    assert "<script>alert" not in asked + shown(after)
    assert not keys.exists(f"room:messages:{room}")
    assert done() == [("olga", room, f"The history of the room {room} was cleared.")]


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
    assert [row[1:] for row in table(html, "Message")] == [["ana", "hello"]]
    assert done() == [("olga", room, f"The last messages of the room {room} were read.")]
