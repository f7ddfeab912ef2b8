"""`POST /api/session`: a guest is given an id, a token and a cookie."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from aleatoria.environment import origins
from aleatoria.wire.names import is_user_id
from tests.conftest import MakeTab


@pytest.fixture
def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def ask(browser: Client, body: object = None, **options: Any) -> Any:
    """What is answered to `body`, as JSON unless it is bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body)
    return browser.post("/api/session", data, content_type="application/json", **options)


def test_a_guest_is_given_an_id_a_token_and_when_it_ends(browser: Client) -> None:
    response = ask(browser, {"name": "ana"})
    assert response.status_code == 200
    guest = response.json()
    assert guest.keys() == {"userId", "token", "expiresAt"}
    assert re.fullmatch(r"ana-[a-z0-9]+", guest["userId"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", guest["expiresAt"])
    assert datetime.fromisoformat(guest["expiresAt"]) > datetime.now(UTC) + timedelta(days=1)
    assert response["Cache-Control"] == "no-store"


def test_the_cookie_is_for_the_server_only(browser: Client) -> None:
    response = ask(browser, {"name": "ana"})
    cookie = response.cookies["aleatoria_guest"]
    assert cookie.value == response.json()["token"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert not cookie["secure"]
    ends = datetime.fromisoformat(response.json()["expiresAt"])
    assert abs(datetime.now(UTC) + timedelta(seconds=cookie["max-age"]) - ends) < timedelta(seconds=5)


@pytest.mark.parametrize("how", ["https", "a proxy"])
def test_the_cookie_is_secure_over_https(browser: Client, how: str) -> None:
    options = {"secure": True} if how == "https" else {"headers": {"x-forwarded-proto": "https"}}
    assert ask(browser, {}, **options).cookies["aleatoria_guest"]["secure"]


def test_a_token_fits_into_a_sub_protocol_and_a_cookie(browser: Client) -> None:
    assert re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", ask(browser, {"name": "ana"}).json()["token"])


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("ana", "ana"),
        ("Ana Maria", "Ana-Maria"),
        ("  ana  ", "ana"),
        ("\u00c9va", "Eva"),
        ("\uff41na", "ana"),
        ("ana:bob", "ana-bob"),
        ("ana@example.com", "ana@example.com"),
        ("-._~@+ana", "ana"),
        ("<b>ana</b>", "b-ana-b"),
        ("../../etc/passwd", "etc-passwd"),
        ("system", "system"),
        ("ana\0\r\n", "ana"),
        ("", "guest"),
        (" ", "guest"),
        ("\u674e", "guest"),
        ("\U0001f40d", "guest"),
        (":", "guest"),
        ("x" * 64, "x" * 53),
    ],
    ids=ascii,
)
def test_a_name_is_made_an_id(browser: Client, name: str, called: str) -> None:
    user_id = ask(browser, {"name": name}).json()["userId"]
    assert user_id.rpartition("-")[0] == called
    assert is_user_id(user_id)


def test_two_guests_of_one_name_are_two(browser: Client) -> None:
    assert len({ask(browser, {"name": "ana"}).json()["userId"] for _ in range(20)}) == 20


@pytest.mark.parametrize("body", [b"", b"{}", b'{"nickname": "ana"}', b" {} "])
def test_a_guest_needs_no_name(browser: Client, body: bytes) -> None:
    assert ask(browser, body).json()["userId"].startswith("guest-")


@pytest.mark.parametrize(
    "body",
    [
        b"poison",
        b"{",
        b"[]",
        b"null",
        b'"ana"',
        b'{"name": 5}',
        b'{"name": ["ana"]}',
        b'{"name": NaN}',
        b'{"name": "\\ud800"}',
        b'{"name": "\xff"}',
        b"\xff\xfe",
        b'{"name": "\xed\xa0\x80"}',
        b"name=ana",
        b"[" * 100_000,
        b'{"poison": ' + b"[" * 100_000,
    ],
    ids=lambda body: ascii(body[:30]),
)
def test_what_is_no_wish_is_refused(browser: Client, body: bytes) -> None:
    response = ask(browser, body)
    assert response.status_code == 400
    assert response.json()["code"] == "malformed"
    assert not response.cookies


def test_a_name_of_more_than_64_characters_is_refused(browser: Client) -> None:
    response = ask(browser, {"name": "x" * 65})
    assert response.status_code == 400
    assert response.json()["code"] == "invalid_field"


def test_a_megabyte_is_refused(browser: Client) -> None:
    assert ask(browser, b" " * (1024 * 1024 + 1)).status_code == 400


@pytest.mark.parametrize("method", ["get", "put", "patch"])
def test_a_session_is_posted(browser: Client, method: str) -> None:
    assert getattr(browser, method)("/api/session").status_code == 405


# Pages


def preflight(browser: Client, origin: str) -> HttpResponse:
    wish = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    response = browser.options("/api/session", headers={"origin": origin} | wish)
    assert isinstance(response, HttpResponse)
    return response


@pytest.fixture
def listed(settings: Settings) -> None:
    settings.ALLOWED_ORIGINS = origins("https://chat.example.com")


@pytest.mark.usefixtures("listed")
def test_a_page_that_is_allowed_may_ask_and_read_the_answer(browser: Client) -> None:
    for response in (
        preflight(browser, "https://chat.example.com"),
        ask(browser, {}, headers={"origin": "https://chat.example.com"}),
    ):
        assert response.status_code in (200, 204)
        assert response["Access-Control-Allow-Origin"] == "https://chat.example.com"
        assert response["Access-Control-Allow-Credentials"] == "true"
        assert "content-type" in response["Access-Control-Allow-Headers"]
        assert "Origin" in response["Vary"]


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("origin", ["https://evil.example", "http://testserver", "null", "", "https://[", "*"])
def test_another_page_may_not(browser: Client, origin: str) -> None:
    for response in (preflight(browser, origin), ask(browser, {}, headers={"origin": origin})):
        assert response.status_code == 403
        assert not response.has_header("Access-Control-Allow-Origin")
        assert not response.cookies


@pytest.mark.parametrize(
    ("origin", "status"), [("http://testserver", 200), ("http://testserver:8000", 403), ("http://evil.example", 403)]
)
def test_a_page_of_this_very_host_may_when_nothing_is_listed(browser: Client, origin: str, status: int) -> None:
    assert ask(browser, {}, headers={"origin": origin, "host": "testserver"}).status_code == status


def test_who_is_no_page_may(browser: Client) -> None:
    response = ask(browser, {})
    assert response.status_code == 200
    assert not response.has_header("Access-Control-Allow-Origin")


# With a socket


async def test_the_token_and_the_cookie_say_who_is_on_a_socket(tab: MakeTab, settings: Settings) -> None:
    settings.TRUST_USER_ID = False
    response = ask(Client(), {"name": "ana"})
    guest = response.json()
    cookie = {"cookie": f"aleatoria_guest={response.cookies['aleatoria_guest'].value}"}
    page = {"origin": "http://testserver", "host": "testserver"}
    for headers in ({"authorization": f"Bearer {guest['token']}"}, page | cookie):
        async with tab(guest["userId"], query="", headers=headers) as ana:
            assert (await ana.asks("hello", "welcome"))["userId"] == guest["userId"]


async def test_a_session_ends_when_it_says(tab: MakeTab, settings: Settings) -> None:
    settings.SESSION_TTL = timedelta(seconds=0)
    guest = ask(Client(), {"name": "ana"}).json()
    async with tab("ana", query="", headers={"authorization": f"Bearer {guest['token']}"}) as ana:
        assert await ana.hears_close() == 4401


def test_a_body_of_more_than_a_mebibyte_is_refused(browser: Client) -> None:
    mebibyte = 1024 * 1024
    assert ask(browser, b"{}".rjust(mebibyte)).status_code == 200
    assert ask(browser, b"{}".rjust(mebibyte + 1)).status_code in (400, 413)
