"""Which pages may open a socket."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from aleatoria.environment import origins, setting
from aleatoria.wire import identity
from aleatoria.wire.origins import Origin
from tests.conftest import MakeTab
from tests.support.tab import Denied

LISTED = "https://chat.example.com, http://dev.example.com:8080,https://[2001:db8::1],http://localhost:3000"

# Each origin, and whether it may while those above are allowed.
WITH_A_LIST = {
    "https://chat.example.com": True,
    "https://chat.example.com:443": True,
    "HTTPS://Chat.Example.COM": True,
    "http://dev.example.com:8080": True,
    "http://localhost:3000": True,
    "https://[2001:db8::1]": True,
    "https://[2001:DB8::1]:443": True,
    # another scheme, host or port
    "http://chat.example.com": False,
    "http://chat.example.com:443": False,
    "wss://chat.example.com": False,
    "https://chat.example.com:8443": False,
    "https://chat.example.com:80": False,
    "http://dev.example.com": False,
    "https://dev.example.com:8080": False,
    "http://localhost": False,
    "http://127.0.0.1:3000": False,
    "https://example.com": False,
    "https://www.chat.example.com": False,
    "https://chat.example.com.evil.example": False,
    "https://evilchat.example.com": False,
    "https://chat-example.com": False,
    "https://chat.example.com.": False,
    "https://evil.example": False,
    # the host the request was sent to is not enough
    "http://testserver": False,
    # no origins
    "null": False,
    "": False,
    " ": False,
    "*": False,
    "chat.example.com": False,
    "//chat.example.com": False,
    "https://": False,
    "https:chat.example.com": False,
    "https:///chat.example.com": False,
    "https://chat.example.com/": False,
    "https://chat.example.com/attic": False,
    "https://chat.example.com?": False,
    "https://chat.example.com#": False,
    "https://ana@chat.example.com": False,
    "https://chat.example.com:443@evil.example": False,
    "https://evil.example\\@chat.example.com": False,
    "https://chat.example.com:": False,
    "https://chat.example.com:0": False,
    "https://chat.example.com:65979": False,
    "https://chat.example.com:4430000000000000000000": False,
    "https://chat.example.com:443x": False,
    "https://chat.example.com:-443": False,
    "https://[2001:db8::1": False,
    "https://2001:db8::1": False,
    "https://[::1": False,
    "https://[]": False,
    "https://]": False,
    "https://chat.example.com https://evil.example": False,
    "https://evil.example,https://chat.example.com": False,
    " https://chat.example.com": False,
    "https://chat.example.com\t": False,
    "https://chat.example.com\n": False,
    "https://chat.example.com\0": False,
    "https://ch\u00e1t.example.com": False,
    "https://chat.example.com\xff": False,
    "https://" + "a" * 10_000: False,
    "file://": False,
    "chrome-extension://abcdefghijklmnop": False,
    "javascript:alert(1)": False,
    "data:text/html,": False,
}

# Each origin and Host header, and whether it may while nothing is listed and example.com's hosts are ours.
WITHOUT_A_LIST = {
    ("https://chat.example.com", "chat.example.com"): True,
    ("http://chat.example.com", "chat.example.com"): True,
    ("https://chat.example.com:443", "chat.example.com"): True,
    ("https://chat.example.com", "chat.example.com:443"): True,
    ("http://chat.example.com:8000", "chat.example.com:8000"): True,
    ("http://CHAT.example.com:8000", "chat.EXAMPLE.com:8000"): True,
    ("https://example.com", "example.com"): True,
    ("http://[::1]:8000", "[::1]:8000"): True,
    ("https://www.example.com", "chat.example.com"): False,
    ("https://chat.example.com:8000", "chat.example.com"): False,
    ("https://chat.example.com", "chat.example.com:8000"): False,
    ("http://chat.example.com", "chat.example.com:443"): False,
    ("http://localhost:8000", "127.0.0.1:8000"): False,
    # a name of theirs that leads to us
    ("http://evil.example", "evil.example"): False,
    ("http://evilexample.com", "evilexample.com"): False,
    ("http://[::2]", "[::2]"): False,
    # no origins, no hosts
    ("null", "null"): False,
    ("null", "chat.example.com"): False,
    ("", ""): False,
    ("https://", ""): False,
    ("https://chat.example.com", ""): False,
    ("https://chat.example.com/", "chat.example.com"): False,
    ("https://chat.example.com", "chat.example.com/"): False,
    ("https://chat.example.com", "ana@chat.example.com"): False,
    ("https://chat.example.com", "evil.example, chat.example.com"): False,
    ("file://", "chat.example.com"): False,
    ("https://[::1", "[::1"): False,
}


async def may_open(tab: MakeTab, **headers: str) -> bool:
    try:
        async with tab("ana", headers=headers) as ana:
            await ana.hears_nothing()
    except Denied:
        return False
    return True


@pytest.mark.parametrize(("origin", "allowed"), WITH_A_LIST.items(), ids=lambda value: ascii(value)[:60])
async def test_a_page_may_when_its_origin_is_listed(
    tab: MakeTab, settings: Settings, origin: str, *, allowed: bool
) -> None:
    settings.ALLOWED_ORIGINS = origins(LISTED)
    assert await may_open(tab, origin=origin, host="testserver") is allowed


@pytest.mark.parametrize(("names", "allowed"), WITHOUT_A_LIST.items(), ids=lambda value: ascii(value)[:80])
async def test_a_page_of_this_very_host_may_when_nothing_is_listed(
    tab: MakeTab, settings: Settings, names: tuple[str, str], *, allowed: bool
) -> None:
    settings.ALLOWED_ORIGINS = frozenset()
    settings.ALLOWED_HOSTS = [".example.com", "localhost", "127.0.0.1", "[::1]"]
    origin, host = names
    assert await may_open(tab, origin=origin, host=host) is allowed


async def test_a_page_may_not_when_the_request_names_no_host(tab: MakeTab) -> None:
    assert not await may_open(tab, origin="http://testserver")


async def test_a_bearer_token_does_not_make_up_for_a_wrong_origin(tab: MakeTab, settings: Settings) -> None:
    settings.ALLOWED_ORIGINS = origins(LISTED)
    token = identity.open_session("ana").token
    assert not await may_open(tab, origin="https://evil.example", authorization=f"Bearer {token}")


async def test_who_has_no_origin_may_while_user_ids_are_trusted(tab: MakeTab) -> None:
    assert await may_open(tab)


async def test_who_has_no_origin_may_not_once_user_ids_are_not_trusted(tab: MakeTab, settings: Settings) -> None:
    settings.TRUST_USER_ID = False
    assert not await may_open(tab)


async def test_who_has_no_origin_may_not_with_a_cookie_alone(tab: MakeTab, settings: Settings) -> None:
    settings.TRUST_USER_ID = False
    assert not await may_open(tab, cookie=f"aleatoria_guest={identity.open_session('ana').token}")


@pytest.mark.parametrize("where", ["a header", "a sub-protocol"])
async def test_who_has_no_origin_may_with_a_bearer_token(tab: MakeTab, settings: Settings, where: str) -> None:
    settings.TRUST_USER_ID = False
    guest = identity.open_session("ana")
    headers = {"authorization": f"Bearer {guest.token}"} if where == "a header" else {}
    subprotocols = () if where == "a header" else ("aleatoria.v1", f"bearer.{guest.token}")
    async with tab(guest.user_id, query="", headers=headers, subprotocols=subprotocols) as ana:
        await ana.hears_nothing()


@pytest.mark.parametrize(
    "text", ["*", "null", "chat.example.com", "https://chat.example.com/", "https://*.example.com"]
)
def test_a_list_that_names_no_origins_stops_the_start(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", text)
    with pytest.raises(ImproperlyConfigured, match="ALLOWED_ORIGINS"):
        setting("ALLOWED_ORIGINS", frozenset[Origin](), origins)
