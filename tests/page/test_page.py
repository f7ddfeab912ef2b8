"""The page, in a real browser against a real server: what people do on it."""

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from tests.conftest import MakeServer
from tests.support.page import person
from tests.support.processes import ServerProcess
from tests.support.wire import Wire

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def site(server: MakeServer) -> Iterator[ServerProcess]:
    """A server to look at."""
    with server() as running:
        yield running


async def test_two_people_talk_in_a_room_and_write_to_each_other(site: ServerProcess, chromium: Browser) -> None:
    async with person(chromium, site.url, "ana") as ana, person(chromium, site.url, "bob") as bob:
        await ana.says("Hello!")
        await bob.says("Hello yourself.")
        for one in (ana, bob):
            await one.sees("Hello!", "Hello yourself.")
        await bob.page.locator("#people").get_by_role("button", name=re.compile("ana")).click()
        await bob.says("psst")
        inbox = ana.page.locator("#directs button")
        await expect(inbox.locator(".unread")).to_contain_text("1")
        await expect(ana.page).to_have_title("(1) Aleatoria")
        await inbox.click()
        await ana.sees("psst")
        await expect(inbox.locator(".unread")).to_have_count(0)
        await expect(ana.page).to_have_title("Aleatoria")


async def test_who_is_typing_is_shown_to_the_others(site: ServerProcess, chromium: Browser) -> None:
    async with person(chromium, site.url, "ana") as ana, person(chromium, site.url, "bob") as bob:
        await ana.page.locator("#talk textarea").press_sequentially("Hel")
        await expect(bob.page.locator("#talk .hint")).to_have_text("ana is typing…")
        await ana.page.locator("#talk textarea").press("Enter")
        await expect(bob.page.locator("#talk .hint")).to_be_empty()


async def test_a_guest_without_a_name_comes_in_and_is_still_in_after_a_reload(
    site: ServerProcess, chromium: Browser
) -> None:
    async with person(chromium, site.url) as guest:
        await guest.comes_in("")
        await expect(guest.page.locator("#me")).to_contain_text("guest")
        await guest.says("still here")
        await guest.page.reload()
        await guest.sees("still here")
        await guest.page.get_by_role("button", name="Go out").click()
        await expect(guest.page.get_by_label("What should we call you?")).to_be_visible()


async def test_rooms_are_joined_by_name_and_left(site: ServerProcess, chromium: Browser) -> None:
    async with person(chromium, site.url, "ana") as ana:
        await ana.page.get_by_placeholder("Join a room").fill("café am Eck")
        await ana.page.get_by_role("button", name="Join", exact=True).click()
        await expect(ana.page.locator("#where")).to_have_text("café am Eck")
        await expect(ana.page.locator("#rooms li")).to_have_text(["café am Eck", "lobby"])
        await ana.page.get_by_role("button", name="Leave the room").click()
        await expect(ana.page.locator("#rooms li")).to_have_text(["lobby"])
        await expect(ana.page.locator("#where")).to_have_text("lobby")
        await ana.page.get_by_placeholder("Join a room").fill("{}")
        await ana.page.get_by_role("button", name="Join", exact=True).click()
        await expect(ana.page.locator("#join .problem")).to_have_text("Room names can't contain { or }.")


async def test_links_are_links_and_everything_else_is_text(site: ServerProcess, chromium: Browser) -> None:
    async with person(chromium, site.url, "ana") as ana:
        await ana.says("See https://example.com/a?b=c. Not javascript:alert(1) 😀")
        await ana.sees("See https://example.com/a?b=c. Not javascript:alert(1) 😀")
        link = ana.lines.locator("a")
        await expect(link).to_have_count(1)
        await expect(link).to_have_attribute("href", "https://example.com/a?b=c")
        await expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")


async def test_history_is_loaded_further_back_as_one_scrolls_up(site: ServerProcess, chromium: Browser) -> None:
    async with Wire(site.url, "ana", room="lobby") as ana:
        for count in range(120):
            await ana.says(str(count), room="lobby")
        await ana.heard()
    async with person(chromium, site.url, "bob") as bob:
        await expect(bob.lines).to_have_count(50)
        await bob.page.locator("#talk .log").hover()
        for count in (100, 120):
            while await bob.lines.count() < count:
                await bob.page.mouse.wheel(0, -2000)
                await bob.page.wait_for_timeout(20)
        await bob.sees(*(str(count) for count in range(120)))
        await expect(bob.page.locator("#talk .more")).to_have_text("This is the beginning, as far as it is kept.")
        await expect(bob.page.locator("#talk .day")).to_have_text(["Today"])


async def test_a_server_that_is_killed_and_comes_back_loses_nothing_and_shows_nothing_twice(
    site: ServerProcess, chromium: Browser
) -> None:
    async with person(chromium, site.url, "ana") as ana, person(chromium, site.url, "bob") as bob:
        await ana.says("before")
        await bob.sees("before")
        site.kill()
        banner = ana.page.locator("#banner")
        await expect(banner).to_contain_text("The connection is lost.")
        await ana.says("from ana, meanwhile")
        await bob.says("from bob, meanwhile")
        await expect(ana.page.locator("#talk .pending")).to_have_count(1)
        site.start()
        for one in (ana, bob):
            await expect(one.page.locator("#banner")).to_be_hidden()
            await expect(one.page.locator("#talk .pending")).to_have_count(0)
            await expect(one.lines).to_have_count(3)
            assert sorted(await one.lines.all_text_contents()) == [
                "before",
                "from ana, meanwhile",
                "from bob, meanwhile",
            ]
        assert await ana.lines.all_text_contents() == await bob.lines.all_text_contents()
        # Nobody has been asked for a name again.
        await expect(ana.page.locator("#door")).to_be_hidden()


async def test_what_is_half_written_stays_where_it_was_written(site: ServerProcess, chromium: Browser) -> None:
    async with person(chromium, site.url, "ana") as ana:
        await ana.page.locator("#talk textarea").fill("half a tho")
        await ana.page.get_by_placeholder("Join a room").fill("attic")
        await ana.page.get_by_role("button", name="Join", exact=True).click()
        await expect(ana.page.locator("#where")).to_have_text("attic")
        await expect(ana.page.locator("#talk textarea")).to_have_value("")
        await ana.page.locator("#rooms").get_by_role("button", name="lobby").click()
        await expect(ana.page.locator("#talk textarea")).to_have_value("half a tho")


async def test_who_goes_is_shown_as_offline_later(site: ServerProcess, chromium: Browser) -> None:
    async with person(chromium, site.url, "ana") as ana:
        async with person(chromium, site.url, "bob"):
            await expect(ana.page.locator("#people .count")).to_have_text("2 online")
        await expect(ana.page.locator("#people .count")).to_have_text("1 online", timeout=25_000)
        await expect(ana.page.locator("#people .dot.online")).to_have_count(1)


async def test_the_page_says_when_the_server_is_without_its_memory(server: MakeServer, chromium: Browser) -> None:
    with server(VALKEY_PORT="1") as running:
        async with person(chromium, running.url) as ana:
            await ana.page.goto(running.url)
            await ana.page.get_by_role("button", name="Come in").click()
            await expect(ana.page.locator("#banner")).to_contain_text("without its memory")
            await ana.says("hello all the same")
            await ana.sees("hello all the same")


async def test_everything_can_be_done_with_the_keyboard(site: ServerProcess, chromium: Browser) -> None:
    async with person(chromium, site.url) as ana:
        await ana.page.goto(site.url)
        await ana.page.keyboard.type("ana")
        await ana.page.keyboard.press("Enter")
        await expect(ana.page.locator("#where")).to_have_text("lobby")
        reached = set()
        for _ in range(14):
            await ana.page.keyboard.press("Tab")
            reached.add(
                await ana.page.evaluate("document.activeElement.textContent || document.activeElement.placeholder")
            )
        assert {"Random video", "lobby", "Join a room", "Join", "Leave the room", "Write a message", "Send"} <= reached
