"""What people call themselves, their rooms and what they say is text, whatever it tries to be."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from tests.conftest import MakeServer
from tests.support.page import Person, person
from tests.support.processes import ServerProcess
from tests.support.wire import Wire

pytestmark = pytest.mark.timeout(120)

ATTEMPTS = [
    "<script>pwned=1</script>",
    "<img src=x onerror=pwned=1>",
    "<svg onload=pwned=1>",
    "<svg><script>pwned=1</script></svg>",
    "<body onload=pwned=1>",
    "<iframe src=javascript:pwned=1>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'>",
    "<a href=javascript:pwned=1>click</a>",
    "<details open ontoggle=pwned=1>",
    "<input autofocus onfocus=pwned=1>",
    "<video><source onerror=pwned=1></video>",
    "<audio src=x onerror=pwned=1>",
    "<object data=javascript:pwned=1>",
    "<embed src=javascript:pwned=1>",
    "<form action=javascript:pwned=1><button>go</button></form>",
    "<math><mi xlink:href=javascript:pwned=1>x</mi></math>",
    "<style>*{background:url(javascript:pwned=1)}</style>",
    "<link rel=stylesheet href=data:text/css,*>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<template><img src=x onerror=pwned=1></template>",
    "<noscript><p title='</noscript><img src=x onerror=pwned=1>'>",
    "<img src='x' style='x:expression(pwned=1)'>",
    "<marquee onstart=pwned=1>x</marquee>",
    "<select onchange=pwned=1><option>1</select>",
    "'\"><img src=x onerror=pwned=1>",
    '"><script>pwned=1</script>',
    "</p></li></ol><script>pwned=1</script>",
    "</title><script>pwned=1</script>",
    "</textarea><script>pwned=1</script>",
    "<!--><img src=x onerror=pwned=1>-->",
    "<![CDATA[<img src=x onerror=pwned=1>]]>",
    "&lt;script&gt;pwned=1&lt;/script&gt;",
    "&#60;script&#62;pwned=1&#60;/script&#62;",
    "\\u003cscript\\u003epwned=1\\u003c/script\\u003e",
    "%3Cscript%3Epwned=1%3C/script%3E",
    "javascript:pwned=1",
    "JaVaScRiPt:pwned=1//https://example.com",
    "data:text/html,<script>pwned=1</script>",
    "vbscript:pwned=1",
    'https://example.com/"onmouseover=pwned=1',
    "https://example.com/'><img src=x onerror=pwned=1>",
    "https://example.com/<script>pwned=1</script>",
    "http://javascript:pwned=1@evil.example/",
    "${pwned=1}",
    "{{constructor.constructor('pwned=1')()}}",
    "<%= pwned=1 %>",
    "`-pwned=1-`",
    "'-pwned=1-'",
    "__proto__",
]


@pytest.fixture
def site(server: MakeServer) -> Iterator[ServerProcess]:
    """A server to look at."""
    with server() as running:
        yield running


async def nothing_ran(one: Person) -> None:
    """No script of anybody's, and nothing was even tried."""
    assert await one.page.evaluate("typeof pwned") == "undefined"
    assert await one.page.locator("script").count() == 1
    await one.has_a_clean_record()


def test_there_are_fifty() -> None:
    assert len(set(ATTEMPTS)) == 50


async def test_messages_are_shown_as_text(site: ServerProcess, chromium: Browser) -> None:
    async with person(chromium, site.url, "ana") as ana, Wire(site.url, "eve", room="lobby") as eve:
        for attempt in ATTEMPTS:
            await eve.says(attempt, room="lobby")
        await expect(ana.lines).to_have_count(50)
        assert await ana.lines.all_text_contents() == ATTEMPTS
        for link in await ana.lines.locator("a").all():
            href = await link.get_attribute("href")
            assert href is not None
            assert href.startswith(("https://", "http://"))
        await nothing_ran(ana)


async def test_rooms_are_shown_as_text(site: ServerProcess, chromium: Browser) -> None:
    async with person(chromium, site.url, "ana") as ana:
        possible = [attempt for attempt in ATTEMPTS if "{" not in attempt and len(attempt) <= 64][:40]
        for attempt in possible:
            await ana.page.get_by_placeholder("Join a room").fill(attempt)
            await ana.page.get_by_role("button", name="Join", exact=True).click()
            await expect(ana.page.locator("#where")).to_have_text(attempt)
        assert sorted(await ana.page.locator("#rooms .name").all_text_contents()) == sorted([*possible, "lobby"])
        await ana.page.reload()
        await expect(ana.page.locator("#where")).to_have_text(possible[-1])
        await nothing_ran(ana)


async def test_names_are_shown_as_text(site: ServerProcess, chromium: Browser) -> None:
    async with person(chromium, site.url) as ana:
        for attempt in ATTEMPTS[:12]:
            await ana.comes_in(attempt)
            await nothing_ran(ana)
            await ana.page.get_by_role("button", name="Go out").click()
            await expect(ana.page.get_by_role("button", name="Come in")).to_be_visible()


async def test_where_the_address_leads_is_text(site: ServerProcess, chromium: Browser) -> None:
    async with person(chromium, site.url, "ana") as ana:
        for attempt in ATTEMPTS:
            await ana.page.evaluate("(to) => { location.hash = 'user/' + encodeURIComponent(to); }", attempt)
            await expect(ana.page.locator("#where")).to_have_text(attempt)
        await nothing_ran(ana)
