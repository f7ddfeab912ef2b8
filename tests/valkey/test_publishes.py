"""The numbers of publishes, and how long a delivery is said to have taken."""

from collections.abc import Iterator
from time import perf_counter

import pytest

from aleatoria.telemetry import trace
from aleatoria.valkey import publishes as module
from aleatoria.valkey.publishes import Publishes, foreign_header, observe_direct_delivery


@pytest.fixture
def frame() -> Iterator[trace.Trace]:
    """A frame has come in ten seconds ago, and is being answered."""
    cause = trace.Trace()
    cause.receive()
    cause.received_at -= 10
    token = trace.current.set(cause)
    yield cause
    trace.current.reset(token)


class Observed:
    """How many deliveries have been observed since this was made."""

    def __init__(self) -> None:
        self._before = sum(module._DELIVERY.counts)

    @property
    def count(self) -> int:
        return sum(module._DELIVERY.counts) - self._before


def test_a_publish_that_was_lost_is_no_delivery(frame: trace.Trace) -> None:
    observed, publishes = Observed(), Publishes()
    lost, heard = (publishes.next_number(is_heard_here=True) for _ in range(2))
    assert lost < heard
    publishes.observe_delivery(heard)
    assert observed.count == 1
    assert not publishes._causes


def test_what_is_answered_without_a_frame_or_heard_elsewhere_is_not_waited_for(frame: trace.Trace) -> None:
    observed, publishes = Observed(), Publishes()
    publishes.next_number(is_heard_here=False)
    frame.answered()
    publishes.next_number(is_heard_here=True)
    observe_direct_delivery()
    assert not publishes._causes
    assert observed.count == 0


def test_after_an_outage_nothing_of_before_is_waited_for_or_delivered(frame: trace.Trace) -> None:
    publishes = Publishes()
    old = publishes.next_number(is_heard_here=True)
    publishes.forget()
    assert not publishes._causes
    assert not publishes.hear(old)
    assert not publishes.was_heard(old)
    new = publishes.next_number(is_heard_here=True)
    assert publishes.hear(new)
    assert publishes.was_heard(new)


def test_a_direct_delivery_takes_as_long_as_since_its_frame(frame: trace.Trace) -> None:
    observed, before = Observed(), module._DELIVERY._sum
    observe_direct_delivery()
    assert observed.count == 1
    assert 10 <= module._DELIVERY._sum - before < 10 + perf_counter() - frame.received_at


def test_only_the_headers_of_this_process_have_numbers() -> None:
    one, other = Publishes(), Publishes()
    for number in (1, 255, 256, 2**40):
        assert one.number_in(one.header(number) + b"f and a text") == number
        assert other.number_in(one.header(number) + b"f and a text") == 0
    assert one.number_in(foreign_header() + b"f and a text") == 0
