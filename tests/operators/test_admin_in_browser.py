"""The admin's own sections in a real browser: on a phone and on a desk, by day and by night."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Literal, NamedTuple

import pytest
import pytest_asyncio
import redis
from playwright.async_api import Browser, Page, Response, ViewportSize, expect

from aleatoria.valkey.link import Address
from benchmarks.processes import free_port
from tests.operators.test_admin import (
    CALLS,
    ODD,
    PASSWORD,
    ROOM,
    ROOMS,
    VALKEY,
    Prepared,
    call,
    comes_online,
    counted,
    enters,
    prepare,
    said,
    waits,
)
from tests.support.processes import ServerProcess, ValkeyProcess
from tests.support.tab import PATIENCE
from tests.support.wire import Wire


class Look(NamedTuple):
    """How large the window is, and which colours the user wants."""

    size: ViewportSize
    scheme: Literal["light", "dark"]


PHONE, DESK = ViewportSize(width=360, height=740), ViewportSize(width=1280, height=800)
LOOKS = {
    "phone by day": Look(PHONE, "light"),
    "phone by night": Look(PHONE, "dark"),
    "desk by day": Look(DESK, "light"),
    "desk by night": Look(DESK, "dark"),
}
ENOUGH_CONTRAST = 3.0
"""WCAG 1.4.11: of what one must see to understand a picture, to what is beside it."""
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
"""As long as a name may be."""


# The server


class Running(NamedTuple):
    """A server, and another one whose Valkey is away; both with Olga's session."""

    server: ServerProcess
    without_valkey: ServerProcess
    prepared: Prepared


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, valkey_process: ValkeyProcess) -> Iterator[Running]:
    """They run for all tests of this module."""
    prepared = prepare(tmp_path_factory.mktemp("admin"))
    nowhere = Address(host="127.0.0.1", port=free_port())
    with prepared.server("one", valkey_process.address) as one, prepared.server("two", nowhere) as two:
        yield Running(one, two, prepared)


# The browser


@asynccontextmanager
async def looking(chromium: Browser, running: Running, look: Look) -> AsyncIterator[Page]:
    """A window of Olga's, at the server; nothing may go wrong in it."""
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


@pytest_asyncio.fixture
async def page(chromium: Browser, running: Running, keys: redis.Redis) -> AsyncIterator[Page]:
    """A window to look at."""
    async with looking(chromium, running, LOOKS["desk by day"]) as one:
        yield one


async def looks_right(page: Page, directory: Path, *bars: int) -> None:
    """By every look nothing sticks out to the side, and in each chart so many bars stand out from what is behind.

    The pictures are for a person to look at.
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


# What there is to see


def a_lot_of_everything(keys: redis.Redis) -> None:
    """Long names, large numbers, and more than one page."""
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
    await expect(page.get_by_text("No room\u2019s name contains")).to_be_visible()
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
        await expect(page.get_by_role("status")).to_contain_text("chat and calls go on without it")
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


async def test_who_logs_in_is_where_he_wanted_to_be(page: Page, tmp_path: Path) -> None:
    await page.context.clear_cookies()
    await page.goto(ROOMS)
    await looks_right(page, tmp_path)
    await page.get_by_label("Username").fill("olga")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("heading", name="Rooms")).to_be_visible()


# What there is to do


@pytest_asyncio.fixture(params=["phone by night", "desk by day"])
async def hand(
    request: pytest.FixtureRequest, chromium: Browser, running: Running, keys: redis.Redis
) -> AsyncIterator[Page]:
    """A window to click in."""
    async with looking(chromium, running, LOOKS[request.param]) as one:
        yield one


async def says_yes(page: Page, question: str, done: str) -> None:
    """Answer the question, and be told that it is done."""
    await expect(page.get_by_text(question)).to_be_visible()
    await page.get_by_role("button", name="Yes, I\u2019m sure").click()
    await expect(page.locator(".messagelist .success")).to_have_text(done)


async def test_a_room_is_found_by_the_search_and_cleared_by_hand(hand: Page, keys: redis.Redis) -> None:
    enters(keys, "attic", "ana")
    enters(keys, "cellar", "ana")
    said(keys, "attic", "hello")
    await hand.goto("/admin/")
    await hand.get_by_role("link", name="Rooms", exact=True).first.click()
    await hand.get_by_role("searchbox", name="Search rooms").fill("ATT")
    await hand.keyboard.press("Enter")
    await expect(hand.locator("#result_list tbody tr")).to_have_count(1)
    await hand.get_by_role("link", name="attic").click()
    await hand.get_by_role("link", name="Clear the history").click()
    await says_yes(
        hand, "Forget everything that was said in the room attic?", "The history of the room attic is cleared."
    )
    await expect(hand.get_by_role("heading", name="attic")).to_be_visible()
    await expect(hand.get_by_role("link", name="Clear the history")).to_have_count(0)
    assert not keys.exists("room:messages:attic")


async def test_who_says_no_changes_nothing(hand: Page, keys: redis.Redis) -> None:
    said(keys, "attic", "hello")
    await hand.goto(ROOM)
    await hand.get_by_role("link", name="Clear the history").click()
    await hand.get_by_role("link", name="No, take me back").click()
    await expect(hand.get_by_role("heading", name="attic")).to_be_visible()
    assert keys.exists("room:messages:attic")


async def test_a_member_is_removed_by_hand_and_hears_so(hand: Page, running: Running, keys: redis.Redis) -> None:
    async with Wire(running.server.url, "ana", room="attic") as ana:
        await ana.heard()
        await hand.goto(ROOM)
        await hand.get_by_role("link", name="Remove from the room").click()
        await says_yes(hand, "Remove ana from the room attic?", "The user ana is removed from the room attic.")
        await expect(hand.get_by_text("Nobody is a member.")).to_be_visible()
        await ana.hears("room_left")


async def test_the_sockets_of_a_member_are_closed_by_hand(hand: Page, running: Running, keys: redis.Redis) -> None:
    async with Wire(running.server.url, "ana", room="attic") as ana:
        await ana.heard()
        await hand.goto(ROOM)
        await hand.get_by_role("link", name="Close sockets").click()
        await says_yes(hand, "Close all sockets of ana, on every process?", "All sockets of ana are closed.")
        await expect(hand.get_by_role("heading", name="attic")).to_be_visible()
        assert await ana.hears_close() == 4403


async def test_one_who_waits_is_taken_out_of_the_pool_by_hand(hand: Page, running: Running, keys: redis.Redis) -> None:
    async with Wire(running.server.url, "bob", path="/ws/matchmaking") as bob:
        await bob.asks("request_random_peer", "no_peer_available")
        await hand.goto("/admin/")
        await hand.get_by_role("link", name="Random calls", exact=True).first.click()
        await hand.get_by_role("link", name="Take out of the pool").click()
        await says_yes(hand, "Take bob out of the pool?", "The user bob is taken out of the pool.")
        await expect(hand.get_by_text("Nobody waits.")).to_be_visible()
        assert not keys.exists("available:webrtc")


@pytest.mark.parametrize("which", ["Close the first one\u2019s sockets", "Close the second one\u2019s"])
async def test_the_sockets_of_either_one_in_a_call_are_closed_by_hand(
    hand: Page, running: Running, keys: redis.Redis, which: str
) -> None:
    path = "/ws/matchmaking"
    async with Wire(running.server.url, "bob", path=path) as bob, Wire(running.server.url, "ana", path=path) as ana:
        await bob.asks("request_random_peer", "no_peer_available")
        await ana.asks("request_random_peer", "assign_role")
        await hand.goto(CALLS)
        await hand.get_by_role("link", name=which).click()
        gone, user = (ana, "ana") if "first" in which else (bob, "bob")
        await says_yes(hand, f"Close all sockets of {user}, on every process?", f"All sockets of {user} are closed.")
        await expect(hand.get_by_role("heading", name="Random calls")).to_be_visible()
        assert await gone.hears_close() == 4403


@pytest.mark.parametrize("name", ["a way up", "a dot", "backslashes", "a query", "per cent", "a script", "unicode"])
async def test_a_browser_finds_a_room_whatever_it_is_called(page: Page, keys: redis.Redis, name: str) -> None:
    room = ODD[name]
    enters(keys, room, "ana")
    said(keys, room, "hello")
    await page.goto(ROOMS)
    await page.locator("#result_list tbody a").click()
    await expect(page.locator("#content h1")).to_have_text(room)
    await page.get_by_role("link", name="Remove from the room").click()
    await says_yes(page, "Remove ana from the room", f"The user ana is removed from the room {room}.")
    await expect(page.locator("#content h1")).to_have_text(room)
    await page.get_by_role("button", name="Read the last messages").click()
    await expect(page.get_by_role("cell", name="hello")).to_be_visible()
