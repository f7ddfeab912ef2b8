"""The page as a person in a browser uses it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

PATIENCE = 15_000
"""Milliseconds: the machine that tests run on may be busy."""
expect.set_options(timeout=PATIENCE)

# What must not happen while a test runs: kept in the page, read at the end.
WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  violations.push(`${violatedDirective} ${blockedURI}`));
"""


class Person:
    """Somebody in a browser window of their own."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def _note(self, kind: str, text: str) -> None:
        # A connection that is cut is the browser's to report, and the test's to want.
        if kind in ("error", "warning") and "WebSocket" not in text and "ERR_CONNECTION" not in text:
            self.errors.append(text)

    async def comes_in(self, name: str) -> None:
        """Open the page and enter a name."""
        await self.page.goto(self.url)
        await self.page.get_by_label("What should we call you?").fill(name)
        await self.page.get_by_role("button", name="Come in").click()
        await expect(self.page.locator("#where")).not_to_be_empty()
        await expect(self.page.locator("#talk .more")).not_to_have_text("Loading…")

    @property
    def lines(self) -> Locator:
        """Return the messages that are shown."""
        return self.page.locator("#talk .line p")

    @property
    def state(self) -> Locator:
        """Return the text that tells the state of the call."""
        return self.page.locator("#call-state")

    async def says(self, text: str, *, where: str = "#talk") -> None:
        """Type a message and send it."""
        await self.page.locator(f"{where} textarea").fill(text)
        await self.page.locator(f"{where} textarea").press("Enter")

    async def sees(self, *texts: str) -> None:
        """Return when exactly these messages are shown."""
        await expect(self.lines).to_have_text(list(texts))

    async def turns_to(self, name: str) -> None:
        """Press the button of a part of the page."""
        await self.page.locator("header").get_by_role("button", name=name).click()

    async def starts(self) -> None:
        """Press the button that starts a random call."""
        await self.turns_to("Random video")
        await self.page.get_by_role("button", name="Start").click()

    async def frames(self) -> int:
        """Return how many pictures of the peer have been shown."""
        script = "document.querySelector('#remote').getVideoPlaybackQuality().totalVideoFrames"
        return int(await self.page.evaluate(script))

    async def decodes(self, count: int) -> None:
        """Return when so many pictures of the peer have been shown."""
        await self.page.wait_for_selector("#video[data-state=connected]", timeout=PATIENCE)
        while await self.frames() < count:
            await self.page.wait_for_timeout(50)

    async def has_a_clean_record(self) -> None:
        """Assert that there was no error, no violation of the page's policy, and no request to another host."""
        assert self.errors == [], self.errors
        assert await self.page.evaluate("window.violations") == []
        # The page's own blob: and data: are no requests.
        assert [url for url in self.requests if not url.startswith((self.url, self.url.replace("http", "ws")))] == []


@asynccontextmanager
async def person(chromium: Browser, url: str, name: str = "", **options: Any) -> AsyncIterator[Person]:
    """A person in a window of their own, in the chat if they have a name; checked for errors at the end."""
    context: BrowserContext = await chromium.new_context(**{"viewport": {"width": 1280, "height": 800}} | options)
    await context.add_init_script(WATCH)
    try:
        one = Person(await context.new_page(), url)
        if name:
            await one.comes_in(name)
        yield one
        await one.has_a_clean_record()
    finally:
        await context.close()
