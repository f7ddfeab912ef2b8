"""The admin's list of rooms: what a row shows, sorting, searching, and pages."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.test import Client

from tests.support.admin_pages import ROOMS, links, names, shown, table, text
from tests.support.planted import enters, said, three_rooms

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
    assert 'No room name contains \u201c<b>"attic"</b>\u201d.' in text(html)
    assert "<b>" not in html


def test_without_rooms_the_list_says_how_there_come_to_be_some(admin: Client) -> None:
    html = shown(admin.get(ROOMS))
    assert "There are no rooms yet. A room is created when somebody joins it." in text(html)
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
