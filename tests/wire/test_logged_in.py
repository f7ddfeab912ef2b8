"""Who is on a connection: users who are logged in to Django."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from tests.conftest import MakeTab
from tests.support.proofs import cookie, forged, header, query, session, token, who


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
