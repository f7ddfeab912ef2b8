"""`make screenshots`: the pictures in docs/screenshots/, of each state of the page, at three widths, in both colours.

Needs Chromium, and DJANGO_SETTINGS_MODULE=tests.settings. It starts a server of its own, and people who say something.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, expect

from benchmarks.processes import free_port
from tests.support.browser import running_chromium
from tests.support.page import Person, person
from tests.support.repository import ROOT
from tests.support.serving import Serving

TARGET = ROOT / "docs" / "screenshots"
WIDTHS = {360: 740, 768: 900, 1440: 900}
TALK = [
    ("mira", "Is anybody up for the harbour walk on Sunday? 😀"),
    ("jon", "I am, if it does not rain."),
    ("mira", "It never rains when we go. The route is at https://example.com/harbour-walk"),
    ("jon", "Then I bring the tea."),
]


@asynccontextmanager
async def somebody(browser: Browser, url: str, name: str, width: int, scheme: str) -> AsyncIterator[Person]:
    """Somebody with a window of this width."""
    look: dict[str, Any] = {"viewport": {"width": width, "height": WIDTHS[width]}, "color_scheme": scheme}
    async with person(browser, url, name, **look) as one:
        yield one


async def take(browser: Browser, url: str, width: int, scheme: str) -> None:
    """Each state, once."""

    async def shoot(one: Person, state: str) -> None:
        await one.page.wait_for_timeout(150)
        await one.page.screenshot(path=TARGET / f"{state}-{width}-{scheme}.png")

    async with somebody(browser, url, "", width, scheme) as guest:
        await guest.page.goto(url)
        await expect(guest.page.get_by_role("button", name="Come in")).to_be_visible()
        await shoot(guest, "door")
    async with (
        somebody(browser, url, "mira", width, scheme) as mira,
        somebody(browser, url, "jon", 1440, scheme) as jon,
    ):
        room = f"harbour {width} {scheme}"
        for one in (mira, jon):
            if width < 768 and one is mira:
                await one.turns_to("Rooms")
            await one.page.get_by_placeholder("Join a room").fill(room)
            await one.page.get_by_role("button", name="Join", exact=True).click()
            await expect(one.page.locator("#where")).to_have_text(room)
        for name, text in TALK:
            await {"mira": mira, "jon": jon}[name].says(text)
            await expect(mira.lines.last).to_have_text(text)
        await jon.page.locator("#talk textarea").press_sequentially("And")
        await expect(mira.page.locator("#talk .hint")).to_have_text("jon is typing…")
        await shoot(mira, "room")
        await jon.page.locator("#people").get_by_role("button", name="mira").click()
        await jon.says("By the way, thank you for the book.")
        if width < 768:
            for pane in ("People", "Rooms"):
                await mira.turns_to(pane)
                await shoot(mira, pane.lower())
        await mira.page.locator("#directs button").click()
        await shoot(mira, "direct")
        await mira.turns_to("Random video")
        await expect(mira.state).to_have_text("Press Start to meet somebody.")
        await shoot(mira, "preview")
        await mira.page.get_by_role("button", name="Start").click()
        await expect(mira.state).to_have_text("Looking for someone…")
        await shoot(mira, "looking")
        await jon.starts()
        await mira.decodes(10)
        await shoot(mira, "call")
        await jon.page.get_by_role("button", name="Stop").click()
        await expect(mira.state).to_contain_text("They left.")
        await shoot(mira, "left")


async def main() -> None:
    """All of them."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, Serving(Path(directory), VALKEY_PORT=str(free_port())) as server:
        async with running_chromium() as browser:
            for width, scheme in product(WIDTHS, ("light", "dark")):
                await take(browser, server.url, width, scheme)


if __name__ == "__main__":
    asyncio.run(main())
