"""Moments: what is read, what is written, and that time only moves on."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aleatoria.wire import clock

NOON = 1_760_097_600_000_000_000
"""2025-10-10T12:00:00Z in nanoseconds."""
SECOND = 1_000_000_000
MOMENTS = {
    "seconds": ("2025-10-10T12:00:00Z", NOON),
    "tenths": ("2025-10-10T12:00:00.5Z", NOON + SECOND // 2),
    "milliseconds": ("2025-10-10T12:00:00.001Z", NOON + 1_000_000),
    "microseconds": ("2025-10-10T12:00:00.000001Z", NOON + 1000),
    "nanoseconds": ("2025-10-10T12:00:00.000000001Z", NOON + 1),
    "finer than we tell apart": ("2025-10-10T12:00:00.0000000019Z", NOON + 1),
    "fifty digits": (f"2025-10-10T12:00:00.{'0' * 50}Z", NOON),
    "small letters": ("2025-10-10t12:00:00z", NOON),
    "a space": ("2025-10-10 12:00:00Z", NOON),
    "no offset": ("2025-10-10T12:00:00+00:00", NOON),
    "an unknown offset": ("2025-10-10T12:00:00-00:00", NOON),
    "east": ("2025-10-10T14:00:00+02:00", NOON),
    "west": ("2025-10-10T06:30:00-05:30", NOON),
    "east, yesterday": ("2025-10-11T11:59:00+23:59", NOON),
    "a fraction and an offset": ("2025-10-10T14:00:00.250+02:00", NOON + SECOND // 4),
    "the epoch": ("1970-01-01T00:00:00Z", 0),
    "before the epoch": ("1969-12-31T23:59:59Z", -SECOND),
    "a leap day": ("2024-02-29T00:00:00Z", 1_709_164_800 * SECOND),
    "a leap second": ("2016-12-31T23:59:60Z", 1_483_228_800 * SECOND),
    "the first year": ("0001-01-01T00:00:00Z", -62_135_596_800 * SECOND),
    "the last second": ("9999-12-31T23:59:59Z", 253_402_300_799 * SECOND),
}
NO_MOMENTS = {
    "nothing": "",
    "a word": "now",
    "a number": "1760097600",
    "a date": "2025-10-10",
    "no zone": "2025-10-10T12:00:00",
    "no seconds": "2025-10-10T12:00Z",
    "no colons": "20251010T120000Z",
    "an offset without a colon": "2025-10-10T12:00:00+0200",
    "an offset of hours": "2025-10-10T12:00:00+02",
    "an offset of a day": "2025-10-10T12:00:00+24:00",
    "an offset of 60 minutes": "2025-10-10T12:00:00+02:60",
    "a point without a fraction": "2025-10-10T12:00:00.Z",
    "a comma": "2025-10-10T12:00:00,5Z",
    "a month 13": "2025-13-10T12:00:00Z",
    "a month 0": "2025-00-10T12:00:00Z",
    "a day 32": "2025-10-32T12:00:00Z",
    "no leap day": "2025-02-29T12:00:00Z",
    "an hour 24": "2025-10-10T24:00:00Z",
    "a minute 60": "2025-10-10T12:60:00Z",
    "a second 61": "2025-10-10T12:00:61Z",
    "a year 0": "0000-01-01T00:00:00Z",
    "a year of five digits": "12025-10-10T12:00:00Z",
    "a space before": " 2025-10-10T12:00:00Z",
    "a line break behind": "2025-10-10T12:00:00Z\n",
    "two zones": "2025-10-10T12:00:00Z+00:00",
    "digits of other people": "\u0662\u0660\u0662\u0665-10-10T12:00:00Z",
    "a sign before": "-2025-10-10T12:00:00Z",
}


@pytest.mark.parametrize(("text", "nanoseconds"), MOMENTS.values(), ids=MOMENTS.keys())
def test_a_moment_is_read(text: str, nanoseconds: int) -> None:
    assert clock.nanoseconds(text) == nanoseconds


@pytest.mark.parametrize("text", NO_MOMENTS.values(), ids=NO_MOMENTS.keys())
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        clock.nanoseconds(text)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (NOON // 1000 + 123_456, "2025-10-10T12:00:00.123456Z"),
        (NOON // 1000 + 999_999, "2025-10-10T12:00:00.999999Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_moment_is_written_with_six_decimals(micros: int, text: str) -> None:
    assert clock.text(micros) == text


@given(micros=st.integers(0, 253_402_300_799_999_999))
def test_what_is_written_is_read_as_the_same(micros: int) -> None:
    text = clock.text(micros)
    assert clock.micros(text) == micros
    clock.text(NOON // 1000)  # another second, so that nothing is remembered
    assert clock.micros(text) == micros
    assert clock.nanoseconds(text) == micros * 1000


@pytest.mark.parametrize("seconds", [1, 59, 60, 3600, 86_400])
def test_a_moment_soon_after_the_last_one_that_was_written_is_read_as_itself(seconds: int) -> None:
    micros = NOON // 1000 + seconds * 1_000_000 + 1
    text = clock.text(micros)
    assert clock.text(NOON // 1000) < text
    assert clock.micros(text) == micros


@given(micros=st.lists(st.integers(0, 253_402_300_799_999_999), min_size=2, max_size=2))
def test_texts_are_in_the_order_of_time(micros: list[int]) -> None:
    one, other = micros
    assert (clock.text(one) < clock.text(other)) is (one < other)


@given(
    moment=st.datetimes(
        min_value=datetime(2, 1, 1),  # noqa: DTZ001 # hypothesis wants them without a zone
        timezones=st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(
            lambda offset: timezone(timedelta(minutes=offset // timedelta(minutes=1)))
        ),
    )
)
def test_python_reads_a_moment_in_the_same_way(moment: datetime) -> None:
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert clock.nanoseconds(moment.isoformat()) == expected * 1000


def test_time_moves_on_while_the_clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: NOON)
    times = [clock.now() for _ in range(1000)]
    assert times == sorted(set(times))


def test_time_moves_on_while_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = clock.now()
    monkeypatch.setattr("time.time_ns", lambda: NOON - 3600 * SECOND)
    assert before < clock.now() < clock.now()


def test_times_are_those_of_the_clock() -> None:
    now = datetime.now(UTC)
    assert abs(datetime.fromisoformat(clock.text(clock.now())) - now) < timedelta(seconds=5)
