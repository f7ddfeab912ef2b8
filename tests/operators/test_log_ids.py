"""The ids in the log: of the connection, the request and the call."""

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory

from aleatoria.middleware import trace_requests
from aleatoria.telemetry import trace
from aleatoria.telemetry.logs import JsonLineFormatter, TraceFilter
from tests.conftest import MakeTab
from tests.support.calls import meet
from tests.support.here import link
from tests.support.logs import FAILED, PAGE
from tests.support.tab import Denied


class Events(logging.Handler):
    """A handler that collects events as our JSON formatter writes them."""

    def __init__(self) -> None:
        super().__init__()
        self._formatter = JsonLineFormatter()
        self.all: list[dict[str, Any]] = []
        self.addFilter(TraceFilter())

    def emit(self, record: logging.LogRecord) -> None:
        self.all.append(json.loads(self._formatter.format(record)))

    def saying(self, text: str) -> list[dict[str, Any]]:
        """Return the events whose message contains this text."""
        return [event for event in self.all if text in event["message"]]

    def ids(self, text: str) -> list[tuple[str | None, ...]]:
        """Return the ids of the connection, the request and the call of each of these events."""
        names = ("connection_id", "request_id", "call_id")
        return [tuple(event.get(name) for name in names) for event in self.saying(text)]


@pytest.fixture
def events() -> Iterator[Events]:
    """The events that are logged during the test."""
    events = Events()
    logging.getLogger().addHandler(events)
    yield events
    logging.getLogger().removeHandler(events)


@pytest.mark.usefixtures("rooms_fail")
async def test_what_is_logged_in_a_handler_names_the_socket_and_the_frame(tab: MakeTab, events: Events) -> None:
    async with tab("ana", room="attic") as ana, tab("ana", room="attic") as other:
        for each in (ana, ana, other):
            await each.asks("get_rooms", "error")
    (first, one, none), (second, two, _), (third, last, _) = events.ids(FAILED)
    assert first is not None
    assert re.fullmatch(r"[0-9a-f]{8}", first)
    assert second == first != third
    assert (one, two, last) == (f"{first}.1", f"{first}.2", f"{third}.1")
    assert none is None


async def test_coming_and_going_name_the_socket(tab: MakeTab, events: Events) -> None:
    async with tab("ana", room="attic"):
        pass
    ((came, request, _),), ((went, _, _),) = events.ids("ana is connected"), events.ids("ana is disconnected")
    assert came == went is not None
    assert request is None


async def test_so_does_the_reason_why_one_was_not_let_in(tab: MakeTab, events: Events) -> None:
    async with tab("ana", query="", headers=PAGE) as ana:
        await ana.hears_close()
    with pytest.raises(Denied):
        await tab("ana", headers=PAGE | {"origin": "http://eve.example.com"}).__aenter__()
    assert events.ids("was refused with 4401")[0][0] is not None
    assert events.ids("a page of http://eve.example.com may not connect")[0][0] is not None


@pytest.mark.usefixtures("rooms_fail")
async def test_both_sides_of_a_call_name_it_alike_and_others_do_not(tab: MakeTab, events: Events) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("cleo") as cleo, tab("dan") as dan:
        await meet(ana, bob)
        await meet(cleo, dan)
        for one in (ana, bob, cleo, dan):
            await one.asks("get_rooms", "error")
        await ana.sends("hangup", toUser="bob")
        await bob.hears("hangup")
        for one in (ana, bob):
            await one.asks("get_rooms", "error")
    calls = [call for _, _, call in events.ids(FAILED)]
    assert calls[0] == calls[1] is not None
    assert calls[2] == calls[3] is not None
    assert calls[0] != calls[2]
    assert calls[4:] == [None, None]
    assert [call for _, _, call in events.ids("is in a call with")] == [calls[0], calls[2]]
    assert events.ids("the call of bob with ana is over: hangup")[0][2] == calls[0]


async def test_what_is_logged_about_nobody_names_nobody(tab: MakeTab, events: Events) -> None:
    trace.current.set(None)  # what an earlier test has asked over HTTP may still be there
    async with tab("ana"):
        link().health.down(TimeoutError("it is late"))
    assert events.ids("it is late") == [(None, None, None)]


def test_what_an_event_itself_names_counts_more_than_on_whose_behalf_it_happened(events: Events) -> None:
    cause = trace.Trace()
    cause.call = "call of one"
    token = trace.current.set(cause)
    for extra in ({"call_id": "call of another"}, {}):
        logging.getLogger("chat").info("it is over", extra=extra)
    trace.current.reset(token)
    assert events.ids("it is over") == [
        (cause.connection, None, "call of another"), (cause.connection, None, "call of one")
    ]  # fmt: skip


async def test_a_response_names_the_request_as_the_log_does(events: Events) -> None:
    responses = [await AsyncClient().get(f"/nowhere/{number}") for number in range(2)]
    names = [response["X-Request-ID"] for response in responses]
    assert all(re.fullmatch(r"[0-9a-f]{8}", name) for name in names)
    assert names[0] != names[1]
    for number, name in enumerate(names):
        assert [request for _, request, _ in events.ids(f"Not Found: /nowhere/{number}")] == [name]


def test_so_does_one_that_is_answered_in_a_thread(events: Events) -> None:
    response = Client().get("/nowhere")
    assert events.ids("Not Found: /nowhere") == [(None, response["X-Request-ID"], None)]


async def test_so_does_one_that_is_answered_on_the_event_loop() -> None:
    named: list[str] = []

    async def answer(request: HttpRequest) -> HttpResponse:
        mark = trace.current.get()
        assert mark is not None
        named.append(mark.connection)
        return HttpResponse()

    answered = trace_requests(answer)(RequestFactory().get("/"))
    assert not isinstance(answered, HttpResponse)
    response = await asyncio.ensure_future(answered)
    assert [response["X-Request-ID"]] == named


async def test_every_response_has_a_name(tab: MakeTab) -> None:
    for path in ("/", "/health", "/ready", "/metrics", "/api/session"):
        assert (await AsyncClient().get(path))["X-Request-ID"]
