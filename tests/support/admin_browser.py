"""The admin in a real browser: windows on a phone and on a desk, in light and dark colors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple

from playwright.async_api import Browser, Page, Response, ViewportSize

from tests.support.admin_server import Prepared
from tests.support.processes import ServerProcess
from tests.support.tab import PATIENCE


class Look(NamedTuple):
    """The size of a window and the color scheme that the user prefers."""

    size: ViewportSize
    scheme: Literal["light", "dark"]


PHONE, DESK = ViewportSize(width=360, height=740), ViewportSize(width=1280, height=800)
LOOKS = {
    "phone by day": Look(PHONE, "light"),
    "phone by night": Look(PHONE, "dark"),
    "desk by day": Look(DESK, "light"),
    "desk by night": Look(DESK, "dark"),
}


class Running(NamedTuple):
    """A server, and another one whose Valkey is away. The user olga is logged in to both."""

    server: ServerProcess
    without_valkey: ServerProcess
    prepared: Prepared


@asynccontextmanager
async def looking(chromium: Browser, running: Running, look: Look) -> AsyncIterator[Page]:
    """Open a window of olga at the server. AssertionError at the end if the page had an error or a failed request."""
    context = await chromium.new_context(base_url=running.server.url, viewport=look.size, color_scheme=look.scheme)
    complaints: list[str] = []

    def answered(response: Response) -> None:
        if response.status >= 400 and not response.url.endswith("/favicon.ico"):
            complaints.append(f"{response.status} {response.url}")

    try:
        cookie = {"name": "sessionid", "value": running.prepared.session}
        await context.add_cookies([{**cookie, "url": running.server.url}])  # type: ignore[typeddict-item]
        page = await context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("response", answered)
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text)
                if said.type == "error" and "favicon.ico" not in said.location["url"]
                else None
            ),
        )
        yield page
        assert complaints == []
    finally:
        await context.close()
