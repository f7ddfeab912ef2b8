"""A real Chromium, headless, as the tests drive it."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Camera and microphone that need no hardware and no permission.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


@asynccontextmanager
async def running_chromium(*options: str) -> AsyncIterator[Browser]:
    """The Chromium that is installed, with these options besides."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*OPTIONS, *options], timeout=20_000
        )
        try:
            yield browser
        finally:
            await browser.close()
