"""Marks on methods, and the tables that are made from them."""

import pytest

from aleatoria.wire.consumer import EnvelopeConsumer
from aleatoria.wire.dispatch import handles, hears
from aleatoria.wire.envelope import Envelope
from aleatoria.wire.limits import OTHER, Rate

SELDOM = Rate("seldom", 1, 1)


class Waving(EnvelopeConsumer):
    """Answers waves."""

    @handles("wave", "wink", rate=SELDOM)
    async def wave(self, message: Envelope) -> None:
        raise NotImplementedError

    @hears("people.waved")
    async def waved(self, event: dict[str, object]) -> None:
        raise NotImplementedError


class Nodding(EnvelopeConsumer):
    """Answers nods."""

    @handles("nod")
    async def nod(self, message: Envelope) -> None:
        raise NotImplementedError


def test_the_marks_of_several_consumers_add_up() -> None:
    class Both(Waving, Nodding):
        pass

    assert Both.handlers.keys() == {"hello", "wave", "wink", "nod"}
    assert (Both.handlers["wink"].rate, Both.handlers["nod"].rate) == (SELDOM, OTHER)
    assert Both.handlers["wink"].call is Waving.wave
    assert {"people.waved", "socket.close"} == Both.listeners.keys()


def test_two_methods_for_one_type_of_message_are_an_error() -> None:
    with pytest.raises(TypeError, match="wink"):

        class Twice(Waving):
            @handles("wink")
            async def wink(self, message: Envelope) -> None:
                raise NotImplementedError


def test_two_methods_for_one_event_are_an_error() -> None:
    with pytest.raises(TypeError, match=r"people\.waved"):

        class Twice(Waving):
            @hears("people.waved")
            async def heard(self, event: dict[str, object]) -> None:
                raise NotImplementedError
