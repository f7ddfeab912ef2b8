"""A guest's token at the moment at which it ends."""

import pytest
from pytest_django import Settings

from aleatoria.wire import identity

NOW = 1_760_097_600.0


@pytest.fixture(autouse=True)
def _time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)


def test_a_token_is_good_until_it_ends() -> None:
    assert identity.verify(identity.sign("ana", NOW + 0.001)) == "ana"


@pytest.mark.parametrize("ago", [0.0, 0.001, 86_400.0])
def test_a_token_is_good_for_nothing_from_the_moment_on_at_which_it_ends(ago: float) -> None:
    with pytest.raises(identity.Unidentified):
        identity.verify(identity.sign("ana", NOW - ago))


def test_a_session_lasts_thirty_days(settings: Settings) -> None:
    guest = identity.open_session("ana")
    assert guest.expires_at == NOW + 30 * 86_400
    assert settings.SESSION_TTL.days == 30
    assert identity.verify(guest.token) == guest.user_id
