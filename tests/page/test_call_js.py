"""A call's two sides in one page, with nothing between them but time: what goes wrong when both speak at once."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.conftest import MakeServer

pytestmark = pytest.mark.timeout(180)

# Two calls whose signals take a random while, in order, as over a socket; some get lost if wanted.
PAIR = """
async ({ losing, runs, renegotiate }) => {
  const { Call } = await import("/static/matchmaking/call.js");
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const until = async (reached) => {
    for (let waited = 0; waited < 15000 && !reached(); waited += 5) await pause(5);
    return reached();
  };
  let connected = 0;
  for (let run = 0; run < runs; run += 1) {
    const sides = {};
    const make = (polite) => {
      let way = Promise.resolve();
      let count = 0;
      const signal = (type, payload) => {
        count += 1;
        if (losing && type !== "webrtc_candidate" && count === losing) return;
        const copy = JSON.parse(JSON.stringify(payload));
        way = way.then(() => pause(Math.random() * 8)).then(() => sides[!polite].receive(type, copy));
      };
      return new Call({ polite, iceServers: [], stream: null, signal, onState: () => {}, onTrack: () => {} });
    };
    sides.true = make(true);
    sides.false = make(false);
    const both = [sides.true, sides.false];
    const isUp = () =>
      both.every(({ state, connection }) => state === "connected" && connection.signalingState === "stable");
    let good = await until(isUp);
    if (good && renegotiate) {
      const wanted = both.map(({ connection }) => connection.getTransceivers().length + 1);
      for (const { connection } of both) connection.addTransceiver("audio", { direction: "recvonly" });
      for (const call of both) call.connection.restartIce();
      const has = ({ connection }, side) => connection.getTransceivers().length > wanted[side];
      good = await until(() => isUp() && both.every(has));
    }
    if (good) connected += 1;
    for (const call of both) call.end();
  }
  return connected;
}
"""


@pytest.fixture
def site(server: MakeServer) -> Iterator[str]:
    """Where the scripts are."""
    with server() as running:
        yield running.url


@pytest_asyncio.fixture
async def page(site: str, chromium: Browser) -> AsyncIterator[Page]:
    """An empty page of the site."""
    context = await chromium.new_context(bypass_csp=True)
    page = await context.new_page()
    await page.goto(site)
    yield page
    await context.close()


async def test_both_renegotiating_at_the_same_moment_a_hundred_times_end_connected(page: Page) -> None:
    assert await page.evaluate(PAIR, {"losing": 0, "runs": 100, "renegotiate": True}) == 100


@pytest.mark.parametrize("losing", [1, 2], ids=["the first", "the second"])
async def test_a_description_that_gets_lost_is_sent_again(page: Page, losing: int) -> None:
    assert await page.evaluate(PAIR, {"losing": losing, "runs": 1, "renegotiate": False}) == 1
