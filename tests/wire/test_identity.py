"""Who is on a connection: each proof good, absent, forged and expired."""

import logging
import time
from collections.abc import Callable

import pytest
from django.core.signing import Signer
from pytest_django import Settings

from tests.conftest import MakeTab
from tests.support.proofs import NOBODY, PAGE, Proof, cookie, expired, forged, header, query, subprotocol, token, who

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


@pytest.mark.parametrize(
    "strange",
    [
        {"key": "another key"},
        {"salt": "another.purpose"},
        {"salt": "django.core.signing"},
        {"salt": "django.core.signing.Signer"},
    ],
    ids=["key", "purpose", "purpose of Django's functions", "purpose of Django's signer"],
)
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


@pytest.mark.parametrize("text", ["userId=ana&room=%ff", "userId=%ff"], ids=["room", "user"])
async def test_a_query_that_is_not_utf8_is_a_bad_request(tab: MakeTab, text: str) -> None:
    async with tab(query=text) as nobody:
        assert await nobody.hears_close() == 4400


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
