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
]
FAKE_DEVICES = "--use-fake-device-for-media-stream"
"""A camera and a microphone that need no hardware."""
NO_PROMPTS = "--use-fake-ui-for-media-stream"
"""Whoever wants them gets them."""


@asynccontextmanager
async def running_chromium(*options: str, fakes: bool = True, prompts: bool = False) -> AsyncIterator[Browser]:
    """The Chromium that is installed: with `fakes` for camera and microphone, and `prompts` before they are used."""
    media = [*([FAKE_DEVICES] if fakes else []), *([] if prompts else [NO_PROMPTS])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*OPTIONS, *media, *options], timeout=20_000
        )
        try:
            yield browser
        finally:
            await browser.close()
