"""The publishes of one process, numbered, so that one whose answer was lost is not delivered a second time.

Each carries a header: 8 bytes that stand for the process, and the number in 8 more.
"""

import os
from collections import deque
from time import perf_counter

from aleatoria.telemetry import metrics, trace

_DELIVERY = metrics.Histogram(
    "aleatoria_delivery_seconds",
    "Seconds from receiving a frame to handing its broadcast to the last local socket.",
    metrics.SECONDS,
)
_SENDER = 8
HEADER = 16
"""Bytes of a header."""


class Publishes:
    """What this process has published, and how much of it has been heard here."""

    def __init__(self) -> None:
        self._sender = os.urandom(_SENDER)
        self._sent = self._heard = self._void = 0
        self._causes: deque[tuple[int, float]] = deque()
        """Publishes that will be heard here: their numbers, and when the frames that led to them were received."""

    def next_number(self, *, is_heard_here: bool) -> int:
        """The number of a new publish."""
        self._sent = number = self._sent + 1
        received_at = _received_at()
        if received_at and is_heard_here:
            self._causes.append((number, received_at))
        return number

    def header(self, number: int) -> bytes:
        """What stands before the event in a publish."""
        return self._sender + number.to_bytes(HEADER - _SENDER, "big")

    def number_in(self, data: bytes) -> int:
        """The number of a publish of this process, 0 for one of another process."""
        return int.from_bytes(data[_SENDER:HEADER], "big") if data[:_SENDER] == self._sender else 0

    def hear(self, number: int) -> bool:
        """Note that a publish has been heard; whether to deliver it.

        A publish from before an outage is not delivered: its receivers in this process were served directly.
        """
        if number <= self._void:
            return False
        self._heard = number
        return True

    def was_heard(self, number: int) -> bool:
        """Whether a publish has been heard here, though its answer may have been lost."""
        return number <= self._heard

    def observe_delivery(self, number: int) -> None:
        """Note how long a publish took. They are heard in order: those before it that were not heard are lost."""
        while self._causes and self._causes[0][0] <= number:
            heard, received_at = self._causes.popleft()
            if heard == number:
                _DELIVERY.observe(perf_counter() - received_at)

    def forget(self) -> None:
        """Expect nothing more of what has been published so far: Valkey is away."""
        self._void = self._sent
        self._causes.clear()


def foreign_header() -> bytes:
    """The header of a publish that belongs to no server process."""
    return os.urandom(_SENDER) + bytes(HEADER - _SENDER)


def observe_direct_delivery() -> None:
    """Note how long a delivery took that needed no publish."""
    received_at = _received_at()
    if received_at:
        _DELIVERY.observe(perf_counter() - received_at)


def _received_at() -> float:
    """When the frame was received that is being answered; 0 when none is."""
    cause = trace.current.get()
    return cause.received_at if cause is not None else 0.0
