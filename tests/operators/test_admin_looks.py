"""Every page of the admin looks right on a phone and on a desk, in light and dark colors."""

from datetime import timedelta
from pathlib import Path

import redis
from playwright.async_api import Page, expect

from tests.support.admin_browser import LOOKS, Running
from tests.support.admin_pages import CALLS, ODD, ROOM, ROOMS, VALKEY
from tests.support.admin_server import PASSWORD
from tests.support.planted import call, comes_online, counted, enters, said, waits

ENOUGH_CONTRAST = 3.0
"""WCAG 1.4.11: the contrast of graphics to what is next to them."""
CONTRASTS = """
figures => figures.map(figure => {
    const luminance = colour => {
        const [red, green, blue] = colour.match(/[\\d.]+/g).map(part => part / 255)
            .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const svg = getComputedStyle(figure.querySelector('svg'));
    const bar = getComputedStyle(figure.querySelector('rect'));
    const [low, high] = [luminance(svg.backgroundColor), luminance(bar.fill)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
})
"""
BARS = """
figures => figures.map(figure => Array.from(figure.querySelectorAll('rect'), rect => rect.getBoundingClientRect())
    .filter(box => box.width >= 1 && box.height >= 1).length)
"""
WIDE = "W" * 64
"""The longest name that is allowed."""


async def looks_right(page: Page, directory: Path, *bars: int) -> None:
    """Assert for every look that the page fits the window, and that each chart shows so many bars with enough contrast.

    Saves screenshots for a person to look at.
    """
    for name, look in LOOKS.items():
        await page.set_viewport_size(look.size)
        await page.emulate_media(color_scheme=look.scheme)
        picture = directory / f"{len(list(directory.iterdir())):02} {name}.png"
        await page.screenshot(path=picture, full_page=True)
        width, room = await page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert width <= room, f"{width} px on a screen of {room} px, see {picture}"
        assert await page.eval_on_selector_all(".chart", BARS) == list(bars), picture
        for contrast in await page.eval_on_selector_all(".chart", CONTRASTS):
            assert contrast >= ENOUGH_CONTRAST, picture


def a_lot_of_everything(keys: redis.Redis) -> None:
    """Write long names, large numbers, and more than one page of rooms."""
    for number in range(50):
        enters(keys, f"room {number}", *(f"guest-{guest}" for guest in range(number % 7)), WIDE)
    for name in (WIDE, "two words", *ODD.values()):
        enters(keys, name, "ana", WIDE, "x".join("ab" * 16))
        for minutes in (0.5, 3, 20, 59, 300, 1400):
            said(keys, name, "hello", "W" * 500, "a few words " * 30, ago=timedelta(minutes=minutes))
    comes_online(keys, "ana", WIDE)
    waits(keys, "bob", "b" * 64, WIDE)
    call(keys, "cam", "c" * 64)
    call(keys, "d" * 64, "dan")
    for hours in range(0, 24, 2):
        numbers = {"messages": 12_345_678 - 500_000 * hours, "direct_messages": hours, "matches": 9000 - 300 * hours}
        counted(keys, timedelta(hours=hours), connections=5, **numbers)
    counted(keys, waits__5=3)
    for pid in (1, 2):
        report: dict[str, str] = {"host": f"{'host' * 12}.example", "pid": str(pid), "version": "1.0"}
        keys.hset(f"stats:process:{pid}", mapping=report)  # type: ignore[arg-type] # texts are fine
        keys.expire(f"stats:process:{pid}", 60)


async def test_the_list_of_rooms_looks_right(page: Page, keys: redis.Redis, tmp_path: Path) -> None:
    a_lot_of_everything(keys)
    await page.goto(ROOMS)
    await expect(page.locator("#result_list tbody tr")).to_have_count(50)
    await looks_right(page, tmp_path)
    await page.get_by_role("link", name="Next").click()
    await expect(page.get_by_text("page 2 of 2")).to_be_visible()
    await looks_right(page, tmp_path)


async def test_a_list_without_rooms_looks_right(page: Page, tmp_path: Path) -> None:
    await page.goto(ROOMS)
    await expect(page.get_by_text("There are no rooms yet.")).to_be_visible()
    await looks_right(page, tmp_path)


async def test_a_search_for_something_long_looks_right(page: Page, tmp_path: Path) -> None:
    await page.goto(ROOMS)
    await page.get_by_role("searchbox", name="Search rooms").fill("W" * 200)
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_text("No room name contains")).to_be_visible()
    await looks_right(page, tmp_path)


async def test_a_room_looks_right(page: Page, keys: redis.Redis, tmp_path: Path) -> None:
    a_lot_of_everything(keys)
    await page.goto(ROOMS)
    await page.get_by_role("link", name=WIDE).click()
    await expect(page.get_by_role("heading", name=WIDE)).to_be_visible()
    await looks_right(page, tmp_path, 4, 5)


async def test_a_room_where_nothing_was_said_looks_right(page: Page, keys: redis.Redis, tmp_path: Path) -> None:
    enters(keys, "attic", "ana")
    await page.goto(ROOM)
    await looks_right(page, tmp_path, 0, 0)


async def test_messages_that_are_read_look_right(page: Page, keys: redis.Redis, tmp_path: Path) -> None:
    a_lot_of_everything(keys)
    await page.goto(ROOMS)
    await page.get_by_role("link", name="two words").click()
    await page.get_by_role("button", name="Read the last messages").click()
    await expect(page.get_by_role("heading", name="The last messages")).to_be_visible()
    await expect(page.get_by_role("cell", name="hello")).to_have_count(6)
    await looks_right(page, tmp_path, 4, 5)


async def test_the_random_calls_look_right(page: Page, keys: redis.Redis, tmp_path: Path) -> None:
    a_lot_of_everything(keys)
    await page.goto(CALLS)
    await looks_right(page, tmp_path, 12)


async def test_the_page_about_valkey_looks_right(page: Page, keys: redis.Redis, tmp_path: Path) -> None:
    a_lot_of_everything(keys)
    await page.goto(VALKEY)
    await looks_right(page, tmp_path, 12)


async def test_pages_without_valkey_look_right(page: Page, running: Running, tmp_path: Path) -> None:
    for path in (ROOMS, ROOM, CALLS, VALKEY):
        await page.goto(running.without_valkey.url + path)
        await expect(page.get_by_role("status")).to_contain_text("The server goes on without it")
        await looks_right(page, tmp_path)


async def test_a_question_and_what_comes_of_it_look_right(page: Page, keys: redis.Redis, tmp_path: Path) -> None:
    enters(keys, WIDE, WIDE)
    await page.goto(f"{ROOMS}{WIDE}/members/{WIDE}/remove/")
    await looks_right(page, tmp_path)
    await page.get_by_role("button", name="Yes, I\u2019m sure").click()
    await looks_right(page, tmp_path, 0, 0)
    await page.goto("/admin/")
    await expect(page.get_by_role("link", name="Rooms", exact=True)).to_be_visible()
    await looks_right(page, tmp_path)


async def test_a_login_leads_to_the_page_that_was_asked_for(page: Page, tmp_path: Path) -> None:
    await page.context.clear_cookies()
    await page.goto(ROOMS)
    await looks_right(page, tmp_path)
    await page.get_by_label("Username").fill("olga")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("heading", name="Rooms")).to_be_visible()
