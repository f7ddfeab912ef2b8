"""What a step in Valkey publishes besides what it keeps: the words that the layer and the stores share."""

from collections.abc import Callable
from typing import NamedTuple


class GroupFrame(NamedTuple):
    """A finished frame and the group that hears it. The text is made only when it is needed here."""

    group: str
    text: Callable[[], str]


class Publication(NamedTuple):
    """Where a step publishes a frame: on `channel`, with `head` before the frame's text."""

    channel: bytes
    head: bytes


class Unkept:
    """What is returned instead of a step's result when Valkey could not do it and the frames were sent without it."""
