"""The admin's page about a room: its numbers, members and charts, and its messages on a click."""

import re
from datetime import timedelta

import pytest
import redis
from django.test import Client

from tests.support.admin_pages import MESSAGES, ROOM, ROOMS, charts, done, facts, links, shown, table, text
from tests.support.planted import comes_online, enters, said, three_rooms


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
    assert "This room has no members." in text(html)
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
    rows = table(html, "Message")
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
    rows = table(shown(admin.post(MESSAGES)), "Message")
    assert [row[2] for row in rows] == ["(broken line: run `manage.py audit`)", "hello"]


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
