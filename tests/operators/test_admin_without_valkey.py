"""The admin while Valkey is away or hangs: pages say so, and actions change nothing."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.admin_pages import ACTIONS, CLEAR, MESSAGES, PAGES, ROOM, ROOMS, VALKEY, facts, table
from tests.support.admin_server import Answer, Operator, Prepared
from tests.support.processes import PATIENCE, ValkeyProcess

WITHIN = 3.0
"""Seconds in which a page must be answered, whatever Valkey does."""


class Lonely(NamedTuple):
    """A server with a Valkey of its own that a test can kill or hang."""

    valkey: ValkeyProcess
    operator: Operator

    def goes(self, how: str) -> None:
        """Kill Valkey, or let it hang."""
        if how == "killed":
            self.valkey.kill()
        else:
            self.valkey.hang()

    def comes_back(self, how: str) -> None:
        """Bring Valkey back. Returns when the server has noticed."""
        if how == "killed":
            self.valkey.start()
        else:
            self.valkey.go_on()
        self.knows("up")

    def knows(self, state: str) -> None:
        """Return when the server reports this state of its Valkey."""
        deadline = time.monotonic() + PATIENCE
        while f'"state": "{state}"' not in self.operator.get("/ready").html:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def looks(self, path: str) -> Answer:
        """Request a page, which must be answered in time."""
        return self._promptly(lambda: self.operator.get(path))

    def does(self, path: str, **fields: str) -> Answer:
        """Submit an action, which must be answered in time."""
        return self._promptly(lambda: self.operator.post(path, **fields))

    def _promptly(self, ask: Callable[[], Answer]) -> Answer:
        began = time.monotonic()
        answer = ask()
        assert time.monotonic() - began < WITHIN
        return answer

    def says_that_nothing_was_done(self) -> bool:
        """Return whether the next page says that nothing was done."""
        html = self.looks("/admin/auth/user/").html
        (error,) = re.findall(r'<li class="error">(.*?)</li>', html)
        return str(error).startswith(f"Nothing has been done. Valkey/Redis at {self.valkey.address} ")


@contextmanager
def _alone(prepared: Prepared, directory: Path) -> Iterator[Lonely]:
    with ValkeyProcess(directory) as own, prepared.server(directory.name, own.address) as server:
        one = Lonely(own, Operator(server, prepared.session))
        one.knows("up")
        yield one


@pytest.fixture(scope="module")
def lonely(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lonely]:
    """A server whose Valkey runs at the beginning and at the end of each test."""
    with _alone(prepared, tmp_path_factory.mktemp("lonely")) as one:
        yield one


@pytest.fixture(scope="module")
def left(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Lonely]]:
    """Two servers that have noticed that Valkey is away: one was killed, one hangs."""
    with ExitStack() as stack:
        ones = {how: stack.enter_context(_alone(prepared, tmp_path_factory.mktemp(how))) for how in ("killed", "hung")}
        for how, one in ones.items():
            one.goes(how)
        for one in ones.values():
            one.knows("down")
        yield ones
        ones["hung"].valkey.go_on()  # its server ends sooner


def is_away(page: str, one: Lonely) -> bool:
    """Return whether a page says that Valkey is away, and does not say that Valkey is empty."""
    html = page.partition('id="content-main"')[2]
    says = f"Valkey/Redis at {one.valkey.address} " in html and "The server goes on without it" in html
    return says and not re.search("There are no|Nobody|This room has no|No server process has", html)


@pytest.mark.parametrize("how", ["killed", "hung"])
@pytest.mark.parametrize("page", PAGES)
def test_without_valkey_a_page_is_there_and_says_so(left: dict[str, Lonely], how: str, page: str) -> None:
    answer = left[how].looks(PAGES[page])
    assert answer.status == 200
    assert is_away(answer.html, left[how])


@pytest.mark.parametrize("how", ["killed", "hung"])
def test_the_page_about_valkey_says_since_when_it_is_away(left: dict[str, Lonely], how: str) -> None:
    known = facts(left[how].looks(VALKEY).html)
    assert known.keys() == {"State seen by this process", "Degraded since"}
    assert known["State seen by this process"] == "down"
    since = datetime.fromisoformat(known["Degraded since"].replace(" UTC", "+00:00"))
    assert timedelta(0) <= datetime.now(UTC) - since < timedelta(minutes=5)


@pytest.mark.parametrize("how", ["killed", "hung"])
@pytest.mark.parametrize("page", ["/admin/", "/admin/auth/user/", *ACTIONS.values()])
def test_without_valkey_pages_that_need_none_are_there(left: dict[str, Lonely], how: str, page: str) -> None:
    assert left[how].looks(page).status == 200


@pytest.mark.parametrize("how", ["killed", "hung"])
@pytest.mark.parametrize("action", ACTIONS)
def test_without_valkey_an_action_says_that_nothing_has_been_done_and_is_not_noted(
    left: dict[str, Lonely], prepared: Prepared, how: str, action: str
) -> None:
    before = prepared.noted()
    answer = left[how].does(ACTIONS[action], next="/admin/")
    assert (answer.status, answer.location) == (302, "/admin/")
    assert left[how].says_that_nothing_was_done()
    assert prepared.noted() == before


@pytest.mark.parametrize("how", ["killed", "hung"])
def test_messages_that_could_not_be_read_are_not_noted_as_read(
    left: dict[str, Lonely], prepared: Prepared, how: str
) -> None:
    before = prepared.noted()
    answer = left[how].does(MESSAGES)
    assert answer.status == 200
    assert is_away(answer.html, left[how])
    assert prepared.noted() == before


@pytest.fixture
def hung(lonely: Lonely) -> Iterator[Lonely]:
    """A server whose Valkey has just begun to hang, so that the server has not noticed."""
    lonely.goes("hung")
    yield lonely
    lonely.comes_back("hung")


@pytest.mark.parametrize("path", [ROOMS, VALKEY])
def test_a_page_does_not_wait_long_for_a_valkey_that_hangs(hung: Lonely, path: str) -> None:
    answer = hung.looks(path)
    assert answer.status == 200
    assert is_away(answer.html, hung)


def test_an_action_does_not_wait_long_for_a_valkey_that_hangs(hung: Lonely, prepared: Prepared) -> None:
    before = prepared.noted()
    assert hung.does(CLEAR).location == ROOM
    assert hung.says_that_nothing_was_done()
    assert prepared.noted() == before


@pytest.mark.parametrize("how", ["killed", "hung"])
def test_when_valkey_is_back_so_are_the_pages(lonely: Lonely, how: str) -> None:
    lonely.goes(how)
    lonely.knows("down")
    lonely.comes_back(how)
    html = lonely.looks(ROOMS).html
    assert "There are no rooms yet." in html
    assert not is_away(html, lonely)


def test_a_process_that_runs_is_shown(lonely: Lonely) -> None:
    deadline = time.monotonic() + PATIENCE
    while not list(lonely.valkey.client.scan_iter("stats:process:*")):  # it reports every few seconds
        assert time.monotonic() < deadline
        time.sleep(0.05)
    ((_, pid, *numbers),) = table(lonely.looks(VALKEY).html, "Host")
    assert pid.isdigit()
    assert numbers[1:] == ["0", "0", "0"]
