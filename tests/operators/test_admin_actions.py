"""The admin's actions: the question, what they change in Valkey, and what is recorded."""

import re

import pytest
import redis
from django.test import Client

from tests.support.admin_pages import (
    ACTIONS,
    CALLS,
    CLEAR,
    REMOVE,
    ROOM,
    ROOMS,
    VALKEY,
    WITHDRAW,
    done,
    links,
    shown,
    text,
)
from tests.support.planted import call, enters, said, something_of_all, waits

QUESTIONS = {
    "clear": "Delete all messages of the room attic? This cannot be undone.",
    "remove": "Remove ana from the room attic? They can join again.",
    "withdraw": "Remove bob from the pool? They stop waiting until they ask for a call again.",
    "close": "Close all sockets of ana, in every process? A call they are in ends. They can connect again.",
}
DONE = {
    "clear": ("attic", "The history of the room attic was cleared."),
    "remove": ("attic", "The user ana was removed from the room attic."),
    "withdraw": ("bob", "The user bob was removed from the pool."),
    "close": ("ana", "All sockets of ana were closed."),
}
BACK = {"clear": ROOM, "remove": ROOM, "withdraw": CALLS, "close": VALKEY}


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


def test_removing_a_member_leaves_their_other_rooms_and_the_other_members(admin: Client, keys: redis.Redis) -> None:
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


def test_a_user_in_a_call_stays_in_it_when_they_are_taken_out_of_the_pool(admin: Client, keys: redis.Redis) -> None:
    call(keys, "bob", "cam")
    admin.post(WITHDRAW)
    assert keys.hget("{available:webrtc}:pairs", "bob") == b"cam"
