"""The page for those who listen, who use the keyboard, or who need contrast: axe finds nothing serious in any state."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.conftest import MakeServer
from tests.support.page import Person, person
from tests.support.processes import ServerProcess

pytestmark = pytest.mark.timeout(180)
NARROW, WIDE = {"width": 360, "height": 740}, {"width": 1440, "height": 900}
LOOKS = pytest.mark.parametrize(
    ("viewport", "scheme"),
    [(NARROW, "light"), (NARROW, "dark"), (WIDE, "light"), (WIDE, "dark")],
    ids=["narrow light", "narrow dark", "wide light", "wide dark"],
)


@pytest.fixture
def site(server: MakeServer) -> Iterator[ServerProcess]:
    """A server to look at."""
    with server() as running:
        yield running


@pytest_asyncio.fixture
async def other(site: ServerProcess, chromium: Browser) -> AsyncIterator[Person]:
    """Somebody to talk to."""
    async with person(chromium, site.url, "bob") as bob:
        yield bob


async def is_accessible(one: Person, axe: Path) -> None:
    """No violation that axe calls serious or critical, and nothing wider than the screen."""
    await one.page.evaluate(axe.read_text())
    found = await one.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    serious = [violation for violation in found["violations"] if violation["impact"] in ("serious", "critical")]
    told = [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious]
    assert told == []
    assert await one.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@LOOKS
async def test_every_state_of_the_page(
    site: ServerProcess, chromium: Browser, other: Person, axe: Path, viewport: dict[str, int], scheme: str
) -> None:
    look: dict[str, Any] = {"viewport": viewport, "color_scheme": scheme, "bypass_csp": True}
    # What is half-way between two colours is neither.
    look["reduced_motion"] = "reduce"
    async with person(chromium, site.url, **look) as ana:
        await ana.page.goto(site.url)
        await expect(ana.page.get_by_role("button", name="Come in")).to_be_visible()
        await is_accessible(ana, axe)  # the door
        await ana.comes_in("ana")
        await is_accessible(ana, axe)  # an empty room
        await other.says("Have a look at https://example.com 😀")
        await ana.says("I do.")
        await ana.says("x" * 300)
        await expect(ana.lines).to_have_count(3)
        await other.page.locator("#talk textarea").press_sequentially("so")
        await expect(ana.page.locator("#talk .hint")).not_to_be_empty()
        await is_accessible(ana, axe)  # a conversation
        await other.page.locator("#people").get_by_role("button", name="ana").click()
        await other.says("psst")
        if viewport is NARROW:
            await ana.turns_to("People")
            await is_accessible(ana, axe)
            await ana.turns_to("Rooms")
        await expect(ana.page.locator("#directs .unread")).to_be_visible()
        await is_accessible(ana, axe)  # something unread
        await ana.page.locator("#directs button").click()
        await is_accessible(ana, axe)  # a direct conversation
        await ana.turns_to("Random video")
        await expect(ana.state).to_have_text("Press Start to meet somebody.")
        await is_accessible(ana, axe)
        await ana.page.get_by_role("button", name="Start").click()
        await expect(ana.state).to_have_text("Looking for someone…")
        await is_accessible(ana, axe)
        await other.starts()
        await ana.decodes(1)
        await is_accessible(ana, axe)  # in a call
        await other.page.get_by_role("button", name="Stop").click()
        await expect(ana.state).to_contain_text("They left.")
        await is_accessible(ana, axe)
        site.kill()
        await expect(ana.page.locator("#banner")).to_be_visible()
        await is_accessible(ana, axe)  # the connection is lost
        site.start()


async def test_whoever_is_on_an_entry_stays_on_it_when_the_list_changes(
    site: ServerProcess, chromium: Browser, other: Person
) -> None:
    async with person(chromium, site.url, "ana") as ana:
        entry = ana.page.locator("#people").get_by_role("button", name="bob")
        await entry.focus()
        async with person(chromium, site.url, "abe"):
            await expect(ana.page.locator("#people .count")).to_have_text("3 online")
            await expect(entry).to_be_focused()


async def test_the_focus_is_where_one_goes_on(site: ServerProcess, chromium: Browser) -> None:
    async with person(chromium, site.url) as ana:
        await ana.page.goto(site.url)
        await expect(ana.page.get_by_label("What should we call you?")).to_be_focused()
        await ana.page.keyboard.press("Enter")
        await expect(ana.page.locator("#talk textarea")).to_be_focused()
        await ana.page.keyboard.type("hello")
        await ana.page.keyboard.press("Enter")
        await ana.sees("hello")
        await expect(ana.page.locator("#talk textarea")).to_be_focused()
