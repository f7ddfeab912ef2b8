"""The admin's actions, done by hand in a real browser."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import redis
from playwright.async_api import Browser, Page, expect

from tests.support.admin_browser import LOOKS, Running, looking
from tests.support.admin_pages import CALLS, ODD, ROOM, ROOMS
from tests.support.planted import enters, said
from tests.support.wire import Wire


@pytest_asyncio.fixture(params=["phone by night", "desk by day"])
async def hand(
    request: pytest.FixtureRequest, chromium: Browser, running: Running, keys: redis.Redis
) -> AsyncIterator[Page]:
    """A window to click in, on a phone and on a desk."""
    async with looking(chromium, running, LOOKS[request.param]) as one:
        yield one


async def says_yes(page: Page, question: str, done: str) -> None:
    """Answer the question with yes, and expect the page to say that it was done."""
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
    await says_yes(hand, "Delete all messages of the room attic?", "The history of the room attic was cleared.")
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
        await says_yes(hand, "Remove ana from the room attic?", "The user ana was removed from the room attic.")
        await expect(hand.get_by_text("This room has no members.")).to_be_visible()
        await ana.hears("room_left")


async def test_the_sockets_of_a_member_are_closed_by_hand(hand: Page, running: Running, keys: redis.Redis) -> None:
    async with Wire(running.server.url, "ana", room="attic") as ana:
        await ana.heard()
        await hand.goto(ROOM)
        await hand.get_by_role("link", name="Close sockets").click()
        await says_yes(hand, "Close all sockets of ana, in every process?", "All sockets of ana were closed.")
        await expect(hand.get_by_role("heading", name="attic")).to_be_visible()
        assert await ana.hears_close() == 4403


async def test_one_who_waits_is_taken_out_of_the_pool_by_hand(hand: Page, running: Running, keys: redis.Redis) -> None:
    async with Wire(running.server.url, "bob", path="/ws/matchmaking") as bob:
        await bob.asks("request_random_peer", "no_peer_available")
        await hand.goto("/admin/")
        await hand.get_by_role("link", name="Random calls", exact=True).first.click()
        await hand.get_by_role("link", name="Remove from the pool").click()
        await says_yes(hand, "Remove bob from the pool?", "The user bob was removed from the pool.")
        await expect(hand.get_by_text("Nobody is waiting.")).to_be_visible()
        assert not keys.exists("available:webrtc")


@pytest.mark.parametrize("which", ["Close first user\u2019s sockets", "Close second user\u2019s sockets"])
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
        await says_yes(hand, f"Close all sockets of {user}, in every process?", f"All sockets of {user} were closed.")
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
    await says_yes(page, "Remove ana from the room", f"The user ana was removed from the room {room}.")
    await expect(page.locator("#content h1")).to_have_text(room)
    await page.get_by_role("button", name="Read the last messages").click()
    await expect(page.get_by_role("cell", name="hello")).to_be_visible()
