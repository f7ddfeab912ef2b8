"""Who is on a connection: each proof good, absent, forged and expired, and which of several decides."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import combinations
from typing import NamedTuple
from urllib.parse import quote

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.core.signing import Signer
from django.test import Client
from pytest_django import Settings

from aleatoria.wire import identity
from tests.conftest import MakeTab
from tests.support.tab import Closed

PAGE = {"origin": "http://testserver", "host": "testserver"}


class Proof(NamedTuple):
    """What a handshake says of who is there."""

    headers: dict[str, str] = {}
    cookies: dict[str, str] = {}
    subprotocols: tuple[str, ...] = ()
    query: str = ""

    def and_also(self, other: "Proof") -> "Proof":
        """Both at once."""
        return Proof(
            self.headers | other.headers,
            self.cookies | other.cookies,
            self.subprotocols + other.subprotocols,
            self.query or other.query,
        )


NOBODY = Proof()


def token(user: str, *, ends_in: float = 60.0) -> str:
    return identity.sign(user, time.time() + ends_in)


def expired(user: str) -> str:
    return token(user, ends_in=-1)


def forged(user: str) -> str:
    """A token that says `user` under eve's signature."""
    return token(user).rpartition("~")[0] + "~" + token("eve").rpartition("~")[2]


def empty(user: str) -> str:
    return ""


def header(text: str) -> Proof:
    return Proof({"authorization": f"Bearer {text}"})


def subprotocol(text: str) -> Proof:
    return Proof(subprotocols=("aleatoria.v1", f"bearer.{text}"))


def cookie(text: str) -> Proof:
    return Proof(cookies={"aleatoria_guest": text})


def session(key: str) -> Proof:
    return Proof(cookies={"sessionid": key})


def query(user: str) -> Proof:
    return Proof(query=f"userId={quote(user)}")


async def who(tab: MakeTab, proof: Proof) -> str | int:
    """Who the server says is there, or the code with which it closes."""
    cookies = {"cookie": "; ".join(f"{name}={value}" for name, value in proof.cookies.items())} if proof.cookies else {}
    headers = PAGE | proof.headers | cookies
    async with tab("?", query=proof.query, headers=headers, subprotocols=proof.subprotocols) as there:
        await there.sends("hello")
        try:
            return str((await there.hears("welcome"))["payload"]["userId"])
        except Closed as closed:
            return closed.code


TOKENS: dict[str, tuple[Callable[[], str], str | int]] = {
    "good": (lambda: token("ana-7f3k2q"), "ana-7f3k2q"),
    "expired": (lambda: expired("ana"), 4401),
    "expired this moment": (lambda: token("ana", ends_in=0), 4401),
    "forged": (lambda: forged("ana"), 4401),
    "without its signature": (lambda: token("ana").rpartition("~")[0], 4401),
    "with an empty signature": (lambda: token("ana").rpartition("~")[0] + "~", 4401),
    "cut short": (lambda: token("ana")[:-1], 4401),
    "with a letter more": (lambda: token("ana") + "x", 4401),
    "empty": (lambda: "", 4401),
    "a word": (lambda: "poison", 4401),
    "a user id": (lambda: "ana", 4401),
    "a JSON web token of no algorithm": (lambda: "eyJhbGciOiJub25lIn0.eyJ1c2VySWQiOiJhbmEifQ.", 4401),
    "beyond ASCII": (lambda: "\xe9~\xff", 4401),
    "10000 letters": (lambda: "x" * 10_000, 4401),
    "for the system": (lambda: token("system"), 4400),
    "for what is no user id": (lambda: token("ana:bob"), 4400),
}


@pytest.mark.parametrize(("make", "expected"), list(TOKENS.values()), ids=list(TOKENS))
@pytest.mark.parametrize("kind", [header, subprotocol, cookie])
async def test_a_token_says_who_is_there(
    tab: MakeTab, kind: Callable[[str], Proof], make: Callable[[], str], expected: str | int
) -> None:
    assert await who(tab, kind(make())) == expected


@pytest.mark.parametrize("strange", [{"key": "another key"}, {"salt": "another.purpose"}], ids=["key", "purpose"])
async def test_a_token_made_with_another_key_or_for_another_purpose_is_refused(
    tab: MakeTab, strange: dict[str, str]
) -> None:
    signer = Signer(sep="~", **{"salt": "aleatoria.identity"} | strange)  # type: ignore[arg-type] # strings all
    assert await who(tab, header(signer.sign_object({"userId": "ana", "expiresAt": time.time() + 60}))) == 4401


async def test_nobody_is_refused(tab: MakeTab) -> None:
    assert await who(tab, NOBODY) == 4401


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "], ids=ascii)
async def test_the_scheme_may_be_written_in_any_way(tab: MakeTab, scheme: str) -> None:
    assert await who(tab, Proof({"authorization": f"{scheme} {token('ana')}"})) == "ana"


@pytest.mark.parametrize("value", ["Basic YW5hOmFuYQ==", "Digest username=ana", "", "Token x", "Bearerx y"], ids=ascii)
async def test_another_scheme_is_no_token(tab: MakeTab, value: str) -> None:
    assert await who(tab, Proof({"authorization": value})) == 4401
    assert await who(tab, Proof({"authorization": value}).and_also(query("bob"))) == "bob"


async def test_two_tokens_in_one_header_are_none(tab: MakeTab) -> None:
    assert await who(tab, header(f"{token('ana')},Bearer {token('bob')}")) == 4401


IDS = {
    "ana": "ana",
    "ana-7f3k2q": "ana-7f3k2q",
    "ana@example.com": "ana@example.com",
    "a" * 64: "a" * 64,
    "": 4401,
    "system": 4400,
    "ana:bob": 4400,
    "ana bob": 4400,
    " ana": 4400,
    "ana\n": 4400,
    "ana\0": 4400,
    "-ana": 4400,
    "*": 4400,
    "{ana}": 4400,
    "\u00e1na": 4400,
    "a" * 65: 4400,
}


@pytest.mark.parametrize(("user", "expected"), IDS.items(), ids=[ascii(user) for user in IDS])
async def test_a_user_id_is_believed_while_they_are_trusted(tab: MakeTab, user: str, expected: str | int) -> None:
    assert await who(tab, query(user)) == expected


@pytest.mark.parametrize("user", IDS, ids=ascii)
async def test_no_user_id_is_believed_once_they_are_not_trusted(tab: MakeTab, settings: Settings, user: str) -> None:
    settings.TRUST_USER_ID = False
    assert await who(tab, query(user)) == 4401


async def test_what_is_no_utf_8_is_no_user_id(tab: MakeTab) -> None:
    assert await who(tab, Proof(query="userId=ana%ff")) == 4400


async def test_who_is_refused_gets_no_answer_and_changes_nothing(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana, tab("eve", query="room=attic", headers=PAGE) as eve:
        await eve.says("let me in")
        assert await eve.hears_close() == 4401
        await ana.hears_nothing()


# Which of several decides: those that come first here.
GUESTS: dict[str, Callable[[str], Proof]] = {
    "header": lambda user: header(token(user)),
    "subprotocol": lambda user: subprotocol(token(user)),
    "cookie": lambda user: cookie(token(user)),
    "query": query,
}
BAD: dict[str, Callable[[], Proof]] = {
    f"{kind.__name__}, {why.__name__}": lambda kind=kind, why=why: kind(why("eve"))  # type: ignore[misc]
    for kind in (header, subprotocol, cookie)
    for why in (forged, expired, empty)
}


@pytest.mark.parametrize(("first", "second"), list(combinations(GUESTS, 2)))
async def test_the_first_proof_decides(tab: MakeTab, first: str, second: str) -> None:
    assert await who(tab, GUESTS[first]("ana").and_also(GUESTS[second]("bob"))) == "ana"


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        (bad, good)
        for bad in BAD
        for good in GUESTS
        if list(GUESTS).index(bad.partition(",")[0]) < list(GUESTS).index(good)
    ],
)
async def test_a_bad_first_proof_is_refused_not_skipped(tab: MakeTab, bad: str, good: str) -> None:
    assert await who(tab, BAD[bad]().and_also(GUESTS[good]("ana"))) == 4401


@pytest.mark.parametrize("good", ["header", "subprotocol"])
async def test_a_bad_second_proof_is_not_looked_at(tab: MakeTab, good: str) -> None:
    later = list(GUESTS)[list(GUESTS).index(good) + 1 :]
    for bad in [bad for bad in BAD if bad.partition(",")[0] in later]:
        assert await who(tab, GUESTS[good]("ana").and_also(BAD[bad]())) == "ana"


# Sub-protocols


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (("aleatoria.v1", "bearer.{token}"), "aleatoria.v1"),
        (("bearer.{token}", "aleatoria.v1"), "aleatoria.v1"),
        (("bearer.{token}",), None),
        (("aleatoria.v2", "bearer.{token}"), None),
        (("chat", "aleatoria.v1", "bearer.{token}"), "aleatoria.v1"),
    ],
)
async def test_the_answer_names_our_protocol_and_never_the_token(
    tab: MakeTab, offered: tuple[str, ...], chosen: str | None
) -> None:
    names = tuple(name.format(token=token("ana")) for name in offered)
    async with tab("ana", query="", headers=PAGE, subprotocols=names) as ana:
        assert ana.protocol == chosen
        await ana.hears_nothing()


async def test_the_answer_names_our_protocol_without_a_token_too(tab: MakeTab) -> None:
    async with tab("ana", subprotocols=("aleatoria.v1",)) as ana:
        assert ana.protocol == "aleatoria.v1"


async def test_who_is_refused_is_answered_in_our_protocol(tab: MakeTab) -> None:
    async with tab("ana", query="", headers=PAGE, subprotocols=("aleatoria.v1", f"bearer.{forged('ana')}")) as ana:
        assert ana.protocol == "aleatoria.v1"
        assert await ana.hears_close() == 4401


@pytest.mark.parametrize("make", [token, forged, expired])
@pytest.mark.parametrize("kind", [header, subprotocol, cookie])
async def test_no_token_is_logged(
    tab: MakeTab, caplog: pytest.LogCaptureFixture, kind: Callable[[str], Proof], make: Callable[[str], str]
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = make("ana")
    await who(tab, kind(secret))
    assert secret not in caplog.text
    assert secret.rpartition("~")[2] not in caplog.text


# Django users


@pytest.fixture
def sessions(transactional_db: None) -> dict[str, str]:
    """Session keys by what is the matter with them."""

    def log_in(username: str) -> str:
        user = get_user_model().objects.create_user(username)
        client = Client()
        client.force_login(user)
        return str(client.session.session_key)

    keys = {name: log_in(name) for name in ("ana", "expired", "deactivated", "deleted", "changed", "system", "a:b")}
    keys["an\u00e1"] = log_in("an\u00e1")
    users = get_user_model().objects
    users.filter(username="deactivated").update(is_active=False)
    users.filter(username="deleted").delete()
    users.filter(username="changed").update(password="another")
    late = SessionStore(keys["expired"])
    late.set_expiry(timedelta(seconds=-1))
    late.save()
    nobody = SessionStore()
    nobody.create()
    return keys | {"nobody": str(nobody.session_key), "forged": "x" * 32, "empty": "", "short": "x"}


SESSIONS = {
    "ana": "ana",
    "system": 4400,
    "a:b": 4400,
    "an\u00e1": 4400,
    "expired": 4401,
    "deactivated": 4401,
    "deleted": 4401,
    "changed": 4401,
    "nobody": 4401,
    "forged": 4401,
    "empty": 4401,
    "short": 4401,
}


async def test_a_session_says_who_is_logged_in(tab: MakeTab, sessions: dict[str, str]) -> None:
    assert {name: await who(tab, session(sessions[name])) for name in SESSIONS} == SESSIONS


async def test_tokens_decide_over_a_session_and_a_session_over_the_query(
    tab: MakeTab, sessions: dict[str, str]
) -> None:
    logged_in = session(sessions["ana"])
    assert await who(tab, header(token("bob")).and_also(logged_in)) == "bob"
    assert await who(tab, cookie(token("bob")).and_also(logged_in)) == "bob"
    assert await who(tab, cookie(forged("bob")).and_also(logged_in)) == 4401
    assert await who(tab, logged_in.and_also(query("bob"))) == "ana"
    assert await who(tab, session(sessions["a:b"]).and_also(query("bob"))) == 4400


async def test_who_is_not_logged_in_can_still_be_a_trusted_user_id(tab: MakeTab, sessions: dict[str, str]) -> None:
    assert await who(tab, session(sessions["nobody"]).and_also(query("bob"))) == "bob"


@pytest.mark.parametrize("query", ["userId=ana&room=%ff", "userId=%ff"], ids=["room", "user"])
async def test_a_query_that_is_not_utf8_is_a_bad_request(tab: MakeTab, query: str) -> None:
    async with tab(query=query) as nobody:
        assert await nobody.hears_close() == 4400
