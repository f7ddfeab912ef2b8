"""Random video on the page: two people, then three, with Chromium's own fake cameras."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.conftest import MakeServer
from tests.support.browser import running_chromium
from tests.support.page import Person, person
from tests.support.processes import ServerProcess

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def site(server: MakeServer) -> Iterator[ServerProcess]:
    """A server to look at."""
    with server() as running:
        yield running


@pytest_asyncio.fixture
async def pair(site: ServerProcess, chromium: Browser) -> AsyncIterator[tuple[Person, Person]]:
    """Ana and bob, in a call in which each sees the other."""
    async with person(chromium, site.url, "ana") as ana, person(chromium, site.url, "bob") as bob:
        await ana.starts()
        await expect(ana.state).to_have_text("Looking for someone…")
        await bob.starts()
        for one in (ana, bob):
            await one.decodes(30)
        yield ana, bob


async def test_two_people_meet_and_each_sees_thirty_pictures_of_the_other(pair: tuple[Person, Person]) -> None:
    ana, bob = pair
    await expect(ana.state).to_have_text("Connected with bob.")
    await expect(bob.state).to_have_text("Connected with ana.")


async def test_next_brings_a_third_person_and_the_second_is_told(
    pair: tuple[Person, Person], site: ServerProcess, chromium: Browser
) -> None:
    ana, bob = pair
    async with person(chromium, site.url, "cleo") as cleo:
        await cleo.starts()
        await ana.page.get_by_role("button", name="Next").click()
        for one in (ana, cleo):
            await one.decodes(30)
        await expect(ana.state).to_have_text("Connected with cleo.")
        await expect(bob.state).to_have_text("They left. Press Next to meet somebody else.")


async def test_stop_ends_it_for_both_and_lets_go_of_the_camera(pair: tuple[Person, Person]) -> None:
    ana, bob = pair
    await ana.page.evaluate("window.tracks = document.querySelector('#local').srcObject.getTracks()")
    await ana.page.get_by_role("button", name="Stop").click()
    await expect(bob.state).to_have_text("They left. Press Next to meet somebody else.")
    await expect(ana.state).to_have_text("Press Start to meet somebody.")
    assert await ana.page.evaluate("tracks.map((track) => track.readyState)") == ["ended", "ended"]
    await expect(bob.page.locator("#remote")).to_have_js_property("srcObject", None)


async def test_the_two_write_to_each_other_beside_the_picture(pair: tuple[Person, Person]) -> None:
    ana, bob = pair
    await ana.says("Can you hear me?", where="#beside")
    await expect(bob.page.locator("#beside .line p")).to_have_text(["Can you hear me?"])


async def test_mute_and_camera_off_say_so_and_send_nothing(pair: tuple[Person, Person]) -> None:
    ana, _ = pair
    for name, other, kind in (("Mute", "Unmute", "Audio"), ("Camera off", "Camera on", "Video")):
        await ana.page.get_by_role("button", name=name, exact=True).click()
        button = ana.page.get_by_role("button", name=other, exact=True)
        await expect(button).to_have_attribute("aria-pressed", "true")
        enabled = f"document.querySelector('#local').srcObject.get{kind}Tracks()[0].enabled"
        assert await ana.page.evaluate(enabled) is False
        await button.click()
        assert await ana.page.evaluate(enabled) is True


async def test_the_call_outlives_the_server_and_goes_on_with_it(
    pair: tuple[Person, Person], site: ServerProcess
) -> None:
    ana, bob = pair
    site.kill()
    await expect(ana.page.locator("#banner")).to_contain_text("The connection is lost.")
    before = await ana.frames()
    await ana.decodes(before + 10)
    site.start()
    for one in (ana, bob):
        await expect(one.page.locator("#banner")).to_be_hidden()
    await ana.says("Still there?", where="#beside")
    await expect(bob.page.locator("#beside .line p").last).to_have_text("Still there?")
    await expect(ana.state).to_have_text("Connected with bob.")
    await ana.page.get_by_role("button", name="Stop").click()
    await expect(bob.state).to_have_text("They left. Press Next to meet somebody else.")


async def test_another_part_of_the_page_leaves_the_call_up(pair: tuple[Person, Person]) -> None:
    ana, bob = pair
    await ana.page.locator("#rooms button").first.click()
    await expect(ana.page.locator("#talk textarea")).to_be_visible()
    before = await bob.frames()
    await bob.decodes(before + 10)
    await ana.turns_to("Back to the video")
    await expect(ana.state).to_have_text("Connected with bob.")


async def test_a_window_that_is_closed_is_gone_for_the_other_one(site: ServerProcess, chromium: Browser) -> None:
    async with person(chromium, site.url, "bob") as bob:
        async with person(chromium, site.url, "ana") as ana:
            await ana.starts()
            await bob.starts()
            await asyncio.gather(ana.decodes(1), bob.decodes(1))
        await expect(bob.state).to_have_text("They left. Press Next to meet somebody else.")


async def test_whoever_is_not_let_use_the_camera_is_told_what_to_do(server: MakeServer) -> None:
    with server() as running:
        async with (
            running_chromium("--deny-permission-prompts", prompts=True) as strict,
            person(strict, running.url, "ana") as ana,
        ):
            await ana.turns_to("Random video")
            await expect(ana.state).to_contain_text("does not let this page use camera and microphone")
            await expect(ana.page.get_by_role("button", name="Try again")).to_be_visible()


async def test_whoever_has_neither_camera_nor_microphone_is_told_so(server: MakeServer) -> None:
    with server() as running:
        async with running_chromium(fakes=False) as bare, person(bare, running.url, "ana") as ana:
            await ana.turns_to("Random video")
            await expect(ana.state).to_contain_text("There is no camera and no microphone.")


async def test_without_a_camera_there_is_sound(site: ServerProcess, chromium: Browser) -> None:
    async with person(chromium, site.url, "ana") as ana, person(chromium, site.url, "bob") as bob:
        # A machine with a microphone only: no browser's flag takes just the camera away.
        await ana.page.evaluate(
            """() => {
                const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
                navigator.mediaDevices.getUserMedia = (wish) =>
                    wish.video ? Promise.reject(new DOMException("", "NotFoundError")) : ask(wish);
            }"""
        )
        await ana.turns_to("Random video")
        await expect(ana.state).to_contain_text("Without a camera")
        await ana.page.get_by_role("button", name="Start").click()
        await bob.starts()
        await ana.decodes(30)
        await expect(bob.page.locator("#video[data-state=connected]")).to_be_visible()
        sound = (
            "document.querySelector('#remote').srcObject.getTracks().filter((one) => !one.muted).map((one) => one.kind)"
        )
        assert await bob.page.evaluate(sound) == ["audio"]
