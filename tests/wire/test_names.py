"""Which names there are, and that no two share a key or a group."""

import re
import time
import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aleatoria.wire import groups
from aleatoria.wire.names import is_user_id, room_name
from chat.store import direct_history, room_history
from tests.conftest import MakeTab

USER_IDS = {
    "a letter": "a",
    "a digit": "7",
    "a guest's": "ana-7f3k2q",
    "an address": "ana@example.com",
    "every sign": "a._~@+-",
    "64 characters": "a" * 64,
    "almost the system": "System",
    "a sign at the end": "ana-",
}
NO_USER_IDS = {
    "nothing": "",
    "65 characters": "a" * 65,
    "the system": "system",
    "a colon": "ana:bob",
    "a sign first": "-ana",
    "a dot first": ".ana",
    "a tilde first": "~ana",
    "a space": "ana bob",
    "a line break behind": "ana\n",
    "a NUL": "ana\0",
    "a slash": "ana/bob",
    "an asterisk": "*",
    "braces": "{ana}",
    "an accent": "an\u00e1",
    "Cyrillic": "\u0430na",
    "a digit of other people": "\u0661",
    "an emoji": "\U0001f40d",
    "a percent sign": "ana%00",
}
ROOMS = {
    "a letter": "a",
    "a hash": "#general",
    "a colon": "dm:ana:bob",
    "a space within": "the attic",
    "two spaces within": "the  attic",
    "a no-break space within": "the\u00a0attic",
    "a slash": "a/b",
    "64 characters": "x" * 64,
    "64 letters that come in two parts": "e\u0301" * 64,
    "64 letters that come in four parts": "\u03b1\u0313\u0300\u0345" * 64,
    "an emoji": "\U0001f40d",
    "Cyrillic": "\u0447\u0435\u0440\u0434\u0430\u043a",
    "Chinese": "\u9601\u697c",
    "an asterisk": "*",
    "quotes": "\"'",
    "the system": "system",
}
NO_ROOMS = {
    "nothing": "",
    "65 characters": "x" * 65,
    "65 letters that come in two parts": "e\u0301" * 65,
    "one that grows to 66": "\U0001d15e" * 33,
    "a brace": "att{ic",
    "a closing brace": "att}ic",
    "a space first": " attic",
    "a space last": "attic ",
    "a space": " ",
    "a no-break space last": "attic\u00a0",
    "an ideographic space first": "\u3000attic",
    "a NUL": "at\0tic",
    "a line break": "at\ntic",
    "a line break last": "attic\n",
    "a tab": "at\ttic",
    "a delete": "at\x7ftic",
    "a next line": "at\x85tic",
    "a soft hyphen": "at\u00adtic",
    "a zero width space": "at\u200btic",
    "a zero width joiner": "at\u200dtic",
    "a right-to-left override": "at\u202etic",
    "a line separator": "at\u2028tic",
    "a byte order mark": "\ufeffattic",
    "a tag": "attic\U000e0041",
}


@pytest.mark.parametrize("text", USER_IDS.values(), ids=USER_IDS.keys())
def test_a_user_may_be_called(text: str) -> None:
    assert is_user_id(text)


@pytest.mark.parametrize("text", NO_USER_IDS.values(), ids=NO_USER_IDS.keys())
def test_a_user_may_not_be_called(text: str) -> None:
    assert not is_user_id(text)


@pytest.mark.parametrize("text", ROOMS.values(), ids=ROOMS.keys())
def test_a_room_may_be_called(text: str) -> None:
    assert room_name(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("text", NO_ROOMS.values(), ids=NO_ROOMS.keys())
def test_a_room_may_not_be_called(text: str) -> None:
    with pytest.raises(ValueError, match="Room names can"):
        room_name(text)


def test_a_name_that_is_slow_to_normalise_is_refused_at_once() -> None:
    started = time.process_time()
    with pytest.raises(ValueError, match="64 characters"):
        room_name("a" + "\u0301\u0316" * 16_000)
    assert time.process_time() - started < 0.1


@pytest.mark.parametrize("text", NO_ROOMS.values(), ids=NO_ROOMS.keys())
async def test_who_comes_for_such_a_room_is_turned_away(tab: MakeTab, text: str) -> None:
    async with tab("ana", query="userId=ana&room=" + "".join(f"%{byte:02x}" for byte in text.encode())) as ana:
        assert await ana.hears_close() == 4400


def user_ids() -> st.SearchStrategy[str]:
    """Ids that are short and alike, so that two that could be confused are tried."""
    return st.builds(str.__add__, st.sampled_from("aAb"), st.text("aAb:.-", max_size=3)).filter(is_user_id)


def pairs() -> st.SearchStrategy[tuple[str, str]]:
    return st.tuples(user_ids(), user_ids())


@given(one=pairs(), other=pairs())
@example(one=("a", "b"), other=("b", "a"))
@example(one=("a", "b"), other=("A", "b"))
def test_two_pairs_share_a_key_only_if_they_are_the_same_two(one: tuple[str, str], other: tuple[str, str]) -> None:
    same = sorted(one) == sorted(other)
    assert (direct_history.key(*one) == direct_history.key(*other)) is same


@given(pair=pairs())
def test_who_talks_can_be_read_from_the_key(pair: tuple[str, str]) -> None:
    assert direct_history.key(*pair).split(":") == ["dm", *sorted(pair)]


def rooms() -> st.SearchStrategy[str]:
    return (st.text("aA.\u00e9e\u0301:-_ #/", min_size=1, max_size=5) | st.text(min_size=1, max_size=64)).filter(
        is_a_room
    )


def is_a_room(text: str) -> bool:
    try:
        room_name(text)
    except ValueError:
        return False
    return True


@given(one=rooms(), other=rooms())
@example(one="cafe\u0301", other="caf\u00e9")
@example(one="a b", other="a_b")
@example(one="a", other="A")
def test_two_rooms_share_a_group_and_a_key_only_if_they_are_one(one: str, other: str) -> None:
    one, other = room_name(one), room_name(other)
    assert (groups.room_sockets(one) == groups.room_sockets(other)) is (one == other)
    assert (room_history.key(one) == room_history.key(other)) is (one == other)


@given(name=rooms())
def test_a_room_normalised_stays_as_it_is(name: str) -> None:
    assert room_name(room_name(name)) == room_name(name)


@given(room=rooms(), user=user_ids())
@example(room="ana", user="ana")
def test_a_group_is_one_that_channels_takes_and_never_a_users(room: str, user: str) -> None:
    for group in (groups.room_sockets(room_name(room)), groups.chat_sockets(user)):
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,99}", group)
    assert groups.room_sockets(room_name(room)) != groups.chat_sockets(user)


# What is remembered of names

REMEMBERED: dict[str, Any] = {
    "rooms": (room_name, room_name),
    "sockets of rooms": (groups.room_sockets, groups.room_sockets),
    "watchers of rooms": (groups.room_watchers, partial(groups.room_watchers, "presence")),
    "sockets for chat": (groups.chat_sockets, groups.chat_sockets),
    "sockets for calls": (groups.call_sockets, groups.call_sockets),
    "holders of calls": (groups.call_holder, groups.call_holder),
}


@pytest.mark.parametrize(("cached", "ask"), REMEMBERED.values(), ids=REMEMBERED)
def test_of_names_that_clients_make_up_only_so_many_are_remembered(cached: Any, ask: Callable[[str], str]) -> None:
    for number in range(17_000):
        ask(f"name{number}")
    assert cached.cache_info().currsize <= 16_384


def test_each_kind_of_group_has_names_of_its_own() -> None:
    names = [ask("ana") for _, ask in REMEMBERED.values()] + [groups.room_watchers("typing", "ana")]
    assert len(set(names)) == len(names)


def test_thousands_of_rooms_have_as_many_groups() -> None:
    assert len({groups.room_sockets(f"room {number}") for number in range(5000)}) == 5000
