"""How much one socket may ask for. Time is passed in."""

import asyncio
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django import Settings

from aleatoria.wire.limits import OTHER, Bucket, Flooding, Limits, Rate
from chat.rates import HISTORY, JOIN
from chat.rates import MESSAGE as MESSAGE_RATE
from tests.conftest import MakeTab
from tests.support.tab import PATIENCE, Tab, strictly


class Clock:
    """A steady clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_full_bucket_gives_its_burst_at_once_and_then_tells_how_long_to_wait() -> None:
    bucket = Bucket(Rate("test", 10, 20), 0.0)
    assert [bucket.take(0.0) for _ in range(20)] == [0.0] * 20
    assert bucket.take(0.0) == pytest.approx(0.1)


def test_a_bucket_refills_at_its_rate() -> None:
    bucket = Bucket(Rate("test", 10, 20), 0.0)
    for _ in range(20):
        bucket.take(0.0)
    assert bucket.take(0.05) == pytest.approx(0.05)
    assert bucket.take(0.1) == 0.0
    assert bucket.take(0.1) > 0


def test_a_bucket_holds_no_more_than_its_burst_however_long_the_pause() -> None:
    bucket = Bucket(Rate("test", 10, 20), 0.0)
    assert [bucket.take(1e9) for _ in range(21)].count(0.0) == 20


def test_asking_in_vain_costs_nothing() -> None:
    bucket = Bucket(Rate("test", 1, 1), 0.0)
    bucket.take(0.0)
    for tenth in range(1, 10):
        assert bucket.take(tenth / 10) > 0
    assert bucket.take(1.0) == 0.0


@given(pauses=st.lists(st.floats(0, 2), max_size=200))
def test_a_bucket_never_gives_more_than_its_rate_and_one_burst(pauses: list[float]) -> None:
    bucket, now, given_out = Bucket(Rate("test", 10, 20), 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        given_out += bucket.take(now) == 0.0
    assert given_out <= 20 + 10 * now + 1e-6


def rates() -> st.SearchStrategy[Rate]:
    """Rates around those in use, most of them with an interval that no float holds exactly."""
    return st.builds(
        Rate, name=st.just("test"), per_second=st.integers(1, 100) | st.floats(0.1, 100), burst=st.integers(1, 100)
    )


@given(
    rate=rates(),
    start=st.floats(0, 1e7),
    requests=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 120)), min_size=1, max_size=10),
)
@example(rate=Rate("test", 10, 20), start=0.0, requests=[(0.0, 20), (0.01, 1)])
@example(
    rate=Rate("test", 10, 20), start=0.0, requests=[(0.0, 20), (0.05, 185), (1.953, 195), (0.098, 10)]
)  # close to a flood
def test_a_client_that_waits_as_long_as_it_is_told_may_go_on(
    rate: Rate, start: float, requests: list[tuple[float, int]]
) -> None:
    limits, now, wait = Limits(), start, 0.0
    for pause, count in requests:
        now += pause
        for _ in range(count):
            try:
                wait = limits.wait(rate, now)
            except Flooding:
                return
    assert not wait or limits.wait(rate, now + wait) == 0


def test_kinds_have_buckets_of_their_own() -> None:
    limits = Limits()
    while not limits.wait(MESSAGE_RATE, 0.0):
        pass
    assert limits.wait(JOIN, 0.0) == limits.wait(HISTORY, 0.0) == limits.wait(OTHER, 0.0) == 0


def test_who_goes_on_at_ten_times_the_rate_floods() -> None:
    limits = Limits()
    asked = (limits.wait(MESSAGE_RATE, number / 101) for number in range(100_000))
    with pytest.raises(Flooding):
        list(asked)


def test_who_stays_below_ten_times_the_rate_does_not_flood() -> None:
    limits = Limits()
    passed = [limits.wait(MESSAGE_RATE, number / 99) == 0 for number in range(10_000)]
    assert passed.count(True) == pytest.approx(20 + 10 * 10_000 / 99, abs=2)


def test_the_twentieth_malformed_frame_within_a_minute_is_too_much() -> None:
    limits = Limits()
    assert [limits.malformed_too_often(float(second)) for second in range(20)] == [False] * 19 + [True]


def test_twenty_malformed_frames_in_more_than_a_minute_are_not() -> None:
    limits = Limits()
    assert not any(limits.malformed_too_often(number * 3.2) for number in range(100))


def test_twenty_malformed_frames_within_a_minute_are_too_much_however_many_came_before() -> None:
    limits = Limits()
    for number in range(100):
        limits.malformed_too_often(number * 60.0)
    assert [limits.malformed_too_often(10_000.0) for _ in range(20)] == [False] * 19 + [True]


# Through a socket


@pytest.fixture
def clock(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of limits that are on."""
    settings.RATE_LIMITS = True
    clock = Clock()
    monkeypatch.setattr("aleatoria.wire.reception.monotonic", clock)
    return clock


Request = tuple[dict[str, Any], str, float]
MESSAGE: Request = ({"type": "chat_message", "room": "attic", "payload": {"content": "hello"}}, "chat_message", 0.1)
REQUESTS: dict[str, Request] = {
    "messages to a room": MESSAGE,
    "direct messages": (
        {"type": "chat_message", "toUser": "ana", "payload": {"content": "hello"}},
        "chat_message",
        0.1,
    ),
    "joins": ({"type": "join_room", "room": "attic"}, "room_joined", 0.2),
    "room histories": ({"type": "get_recent_messages", "room": "attic"}, "recent_messages", 0.2),
    "direct histories": ({"type": "get_direct_messages", "payload": {"withUser": "bob"}}, "direct_messages", 0.2),
    "lists of rooms": ({"type": "get_rooms"}, "rooms_list", 0.2),
}
each_request = pytest.mark.parametrize("request_", list(REQUESTS.values()), ids=list(REQUESTS))


async def sends(tab: Tab, message: dict[str, Any], times: int = 1) -> None:
    fields = {name: value for name, value in message.items() if name != "type"}
    for _ in range(times):
        await tab.sends(message["type"], **fields)


async def kinds(tab: Tab, count: int) -> list[str]:
    """The types of the next frames; a refusal comes straight, a message by way of Valkey, so their order is open."""
    return [strictly(await asyncio.wait_for(tab.hears_text(), PATIENCE))["type"] for _ in range(count)]


@each_request
async def test_twenty_at_once_are_answered_and_the_next_is_told_to_wait(
    tab: MakeTab, clock: Clock, request_: Request
) -> None:
    message, answer, wait = request_
    async with tab("ana", room="attic") as ana:
        await sends(ana, message, 20)
        for _ in range(20):
            await ana.hears(answer)
        await sends(ana, message | {"messageId": "m21"})
        refused = (await ana.hears("error"))["payload"]
        assert refused.pop("error") == "That was too fast. Try again in 1 s."
        assert refused == {"code": "rate_limited", "retryAfter": wait, "inReplyTo": "m21"}


@each_request
async def test_who_waits_as_told_is_answered_once_more(tab: MakeTab, clock: Clock, request_: Request) -> None:
    message, answer, wait = request_
    async with tab("ana", room="attic") as ana:
        await sends(ana, message, 20)
        for _ in range(20):
            await ana.hears(answer)
        clock.now += wait
        await sends(ana, message, 2)
        assert sorted(await kinds(ana, 2)) == sorted([answer, "error"])


async def test_what_is_too_fast_reaches_nobody(tab: MakeTab, clock: Clock) -> None:
    async with tab("ana", room="attic") as ana, tab("eve", room="attic") as eve:
        await sends(eve, MESSAGE[0], 30)
        assert sorted(await kinds(eve, 30)) == ["chat_message"] * 20 + ["error"] * 10
        assert [frame["type"] for frame in await ana.heard()] == ["chat_message"] * 20


async def test_each_socket_has_limits_of_its_own(tab: MakeTab, clock: Clock) -> None:
    async with tab("ana", room="attic") as one, tab("ana", room="attic") as other:
        await sends(one, MESSAGE[0], 21)
        await sends(other, MESSAGE[0] | {"messageId": "m1"})
        assert "m1" in [frame.get("messageId") for frame in [await other.hears("chat_message") for _ in range(21)]]


@each_request
async def test_a_flood_of_ten_times_as_much_closes(tab: MakeTab, clock: Clock, request_: Request) -> None:
    async with tab("ana", room="attic") as ana, tab("eve", room="attic") as eve:
        await sends(ana, request_[0], 201)
        assert await ana.hears_close() == 4429
        assert all(frame["type"] == "chat_message" for frame in await eve.heard())


async def test_two_hundred_at_once_are_no_flood_yet(tab: MakeTab, clock: Clock) -> None:
    async with tab("ana", room="attic") as ana:
        await sends(ana, REQUESTS["joins"][0], 200)
        answers = [frame["type"] for frame in await ana.heard()]
        assert (answers.count("room_joined"), answers.count("error")) == (20, 180)


async def test_unknown_types_are_limited_too(tab: MakeTab, clock: Clock) -> None:
    async with tab("ana") as ana:
        await sends(ana, {"type": "poison"}, 2000)
        assert await ana.hears_close() == 4429


async def test_nothing_is_limited_when_limits_are_off(tab: MakeTab, clock: Clock, settings: Settings) -> None:
    settings.RATE_LIMITS = False
    async with tab("ana", room="attic") as ana:
        await sends(ana, MESSAGE[0], 300)
        assert [frame["type"] for frame in await ana.heard()] == ["chat_message"] * 300


async def test_malformed_frames_over_a_longer_time_do_not_close(tab: MakeTab, clock: Clock) -> None:
    async with tab("ana") as ana:
        for _ in range(60):
            await ana.sends_text("poison")
            await ana.hears("error_response")
            clock.now += 3.2
        await ana.hears_nothing()
