"""What is logged: one line an event whatever its text, who it is about, and nothing that must not be there."""

import asyncio
import io
import json
import logging
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.test import AsyncClient, Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from websockets.exceptions import ConnectionClosed

from aleatoria.telemetry import trace
from aleatoria.telemetry.logs import JsonLineFormatter, LineFormatter, TraceFilter
from aleatoria.valkey.address import Address
from aleatoria.valkey.health import State
from aleatoria.wire import identity
from tests.conftest import MakeServer, MakeTab
from tests.matchmaking.test_lost_connection import meet
from tests.support.here import link
from tests.support.leaks import SERVER_SIDE, collecting, leaks, leaks_in
from tests.support.processes import ServerProcess, ValkeyProcess
from tests.support.tab import Closed, Denied, Talk
from tests.support.wire import Wire
from tests.valkey.test_outage import until

PAGE = {"origin": "http://testserver", "host": "testserver"}
LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (?P<level>[A-Z]+): (?P<message>.*?)(?: \[(?P<ids>\w+=\S+(?: \w+=\S+)*)\])?"
)


def logged(formatter: logging.Formatter, log: Callable[[logging.Logger], None]) -> str:
    """What a handler with this formatter writes of what is logged."""
    logger, stream = logging.Logger("chat.somewhere"), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    log(logger)
    return stream.getvalue()


def lines_of(text: str) -> list[str]:
    """The lines of a log, however one tells them apart."""
    assert text.endswith("\n")
    return text.removesuffix("\n").splitlines()


# The two formats


def test_a_line_says_when_how_bad_and_what() -> None:
    (line,) = lines_of(logged(LineFormatter(), lambda logger: logger.warning("%s is %d", "ana", 7)))
    found = LINE.fullmatch(line)
    assert found is not None
    assert found.groupdict() == {"level": "WARNING", "message": "ana is 7", "ids": None}


def test_json_says_so_too_and_where() -> None:
    (line,) = lines_of(logged(JsonLineFormatter(), lambda logger: logger.warning("%s is %d", "ana", 7)))
    event = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00", event.pop("time"))
    assert list(event.items()) == [("level", "WARNING"), ("logger", "chat.somewhere"), ("message", "ana is 7")]


def with_ids(logger: logging.Logger) -> None:
    logger.info("hello", extra={"call_id": "c", "request_id": "r.1", "connection_id": "r"})


def test_ids_stand_at_the_end_of_a_line() -> None:
    assert logged(LineFormatter(), with_ids).endswith(" INFO: hello [connection_id=r request_id=r.1 call_id=c]\n")


def test_ids_are_fields_of_json() -> None:
    event = json.loads(logged(JsonLineFormatter(), with_ids))
    assert (event["connection_id"], event["request_id"], event["call_id"]) == ("r", "r.1", "c")


NASTY = {
    "newline": "one\ntwo",
    "forged line": "one\n2026-11-24 12:00:00,000 ERROR: all is lost",
    "carriage return": "one\rtwo",
    "escape": "\x1b[2J\x1b]0;title\x07",
    "C1": "\x85\x9b31m",
    "line separators": "\u2028\u2029\x0b\x0c\x1c\x1d\x1e",
    "bidi overrides": "\u202eevil\u2066\u2069\u200f\u061c",
    "NUL": "a\x00b",
    "nothing to see": "\ufeff\u200b",
    "half a character": "\ud800",
    "JSON": '"}\n{"level": "ERROR"}',
}
nasty = pytest.mark.parametrize("text", list(NASTY.values()), ids=list(NASTY))
formats = pytest.mark.parametrize("formatter", [LineFormatter(), JsonLineFormatter()], ids=["line", "json"])
HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")


@nasty
@formats
def test_an_event_is_one_line_and_shows_all_that_is_in_it(formatter: logging.Formatter, text: str) -> None:
    for log in (lambda logger: logger.info("%s", text), lambda logger: logger.info(text)):
        (line,) = lines_of(logged(formatter, log))
        assert HIDDEN.search(line) is None


@given(text=st.text())
def test_json_loses_nothing_of_any_text(text: str) -> None:
    (line,) = lines_of(logged(JsonLineFormatter(), lambda logger: logger.info("%s", text)))
    assert line.isascii()
    assert json.loads(line)["message"] == text


@given(text=st.text(st.characters(exclude_categories=[])))
def test_a_line_is_one_whatever_the_text(text: str) -> None:
    (line,) = lines_of(logged(LineFormatter(), lambda logger: logger.info("%s", text)))
    assert HIDDEN.search(line) is None
    line.encode()


def failing(text: str) -> Callable[[logging.Logger], None]:
    """Logs two exceptions, one the cause of the other, with this in their messages, and where the logger was called."""

    def log(logger: logging.Logger) -> None:
        try:
            try:
                raise ValueError(text)
            except ValueError as error:
                error.add_note(text)
                raise RuntimeError(text) from error
        except RuntimeError:
            logger.exception("it failed", stack_info=True)

    return log


@nasty
def test_the_traceback_of_a_line_is_indented_below_it(text: str) -> None:
    first, *rest = lines_of(logged(LineFormatter(), failing(text)))
    assert LINE.fullmatch(first)
    assert len(rest) > 10
    assert [line for line in rest if not line.startswith("    ") or HIDDEN.search(line)] == []


@nasty
def test_the_traceback_is_in_the_one_line_of_json(text: str) -> None:
    (line,) = lines_of(logged(JsonLineFormatter(), failing(text)))
    event = json.loads(line)
    assert event["message"] == "it failed"
    assert event["exc_info"].count(f"Error: {text}") == 2
    assert event["stack_info"].startswith("Stack")


def test_a_traceback_that_another_handler_has_written_before_is_indented_all_the_same() -> None:
    logger, stream = logging.Logger("chat.somewhere"), io.StringIO()
    for formatter in (logging.Formatter(), LineFormatter(), logging.Formatter()):
        handler = logging.StreamHandler(stream if isinstance(formatter, LineFormatter) else io.StringIO())
        handler.setFormatter(formatter)
        logger.addHandler(handler)
    failing("one\ntwo")(logger)
    assert all(line.startswith("    ") for line in lines_of(stream.getvalue())[1:])


@formats
def test_what_libraries_add_is_not_shown(formatter: logging.Formatter) -> None:
    extra = {"request": "GET /?token=s3cret", "status_code": 404, "sql": "SELECT 's3cret'", "params": ("s3cret",)}
    text = logged(formatter, lambda logger: logger.info("Not Found: %s", "/nowhere", extra=extra))
    assert "s3cret" not in text
    assert "status_code" not in text


def test_nor_is_it_when_a_whole_dict_is_logged() -> None:
    event = json.loads(logged(JsonLineFormatter(), lambda logger: logger.info({"password": "s3cret", "message": "m"})))
    assert set(event) == {"time", "level", "logger", "message"}


# Who it is about


class Events(logging.Handler):
    """What our formatter makes of what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self._formatter = JsonLineFormatter()
        self.all: list[dict[str, Any]] = []
        self.addFilter(TraceFilter())

    def emit(self, record: logging.LogRecord) -> None:
        self.all.append(json.loads(self._formatter.format(record)))

    def saying(self, text: str) -> list[dict[str, Any]]:
        """Those whose message has this in it."""
        return [event for event in self.all if text in event["message"]]

    def ids(self, text: str) -> list[tuple[str | None, ...]]:
        """The connection, the request and the call of each of them."""
        names = ("connection_id", "request_id", "call_id")
        return [tuple(event.get(name) for name in names) for event in self.saying(text)]


@pytest.fixture
def events() -> Iterator[Events]:
    """What is logged in the test."""
    events = Events()
    logging.getLogger().addHandler(events)
    yield events
    logging.getLogger().removeHandler(events)


FAILED = "the handler of a message failed"


@pytest.fixture
def rooms_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for his rooms makes us log something about him."""

    def fail(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr("chat.payloads.rooms_list", fail)


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


async def test_every_response_has_a_name(tab: MakeTab) -> None:
    for path in ("/", "/health", "/ready", "/metrics", "/api/session"):
        assert (await AsyncClient().get(path))["X-Request-ID"]


# Real servers


PRODUCTION = {
    "DEBUG": "off",
    "SECRET_KEY": "x" * 50,
    "ALLOWED_HOSTS": "127.0.0.1",
    "TRUST_USER_ID": "on",
}


def status(url: str, **headers: str) -> tuple[int, str]:
    """How a request is answered, and its name."""
    request = urllib.request.Request(url, headers={name.replace("_", "-"): text for name, text in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, response.headers["X-Request-ID"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["X-Request-ID"]


async def is_used(server: ServerProcess) -> str:
    """Somebody comes, goes wrong and goes; the name of his request."""
    async with Wire(server.url, "ana", room="attic") as ana:
        await ana.says("hello")
        await ana.hears("chat_message")
        await ana.asks("poison", "error")
    code, name = await asyncio.to_thread(status, f"{server.url}/nowhere%0Aelse")
    assert code == 404
    return name


async def test_in_production_each_line_is_json(server: MakeServer) -> None:
    with server(**PRODUCTION) as one:
        name = await is_used(one)
    events = [json.loads(line) for line in one.logged().splitlines()]
    assert all({"time", "level", "logger", "message"} <= set(event) for event in events)
    (came,) = [event for event in events if event["message"] == "ana is connected"]
    (went,) = [event for event in events if event["message"].startswith("ana is disconnected, code 1000")]
    (lost,) = [event for event in events if event["message"].startswith("Not Found: /nowhere")]
    assert came["connection_id"] == went["connection_id"]
    assert went["request_id"] == f"{came['connection_id']}.2"
    assert lost["request_id"] == name


async def test_lines_can_be_had_in_production_too(server: MakeServer) -> None:
    with server(LOG_FORMAT="line", **PRODUCTION) as one:
        name = await is_used(one)
    lines = one.logged().splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    assert any(re.search(r"INFO: ana is connected \[connection_id=[0-9a-f]{8}\]$", line) for line in lines)
    assert any(line.endswith(f"[request_id={name}]") for line in lines)


async def test_who_wants_warnings_only_gets_nothing_else(server: MakeServer) -> None:
    with server(LOG_LEVEL="WARNING", **PRODUCTION) as one:
        await is_used(one)
    assert [json.loads(line)["level"] for line in one.logged().splitlines()] == ["WARNING"]


# Nothing that must not be there


PLANTED = {
    "what somebody says in a room": "planted-room-8c1e",
    "what somebody writes to another": "planted-direct-4b7d",
    "a request that is malformed": "planted-request-0f3a",
    "an offer": "planted-offer-77d2",
    "an answer": "planted-answer-19ce",
    "a candidate": "planted-candidate-e5b0",
    "a frame that is malformed": "planted-malformed-3d64",
    "a frame that is binary": "planted-binary-a21f",
    "a frame that is declined": "planted-declined-5e90",
    "what was in a frame whose handler failed": "planted-failed-b8c3",
    "a query": "planted-query-6a1d",
    "a cookie": "planted-cookie-f402",
    "another cookie": "planted-csrf-2ce8",
    "the password of Valkey": "planted-password-91bb",
    "a wrong password": "planted-wrong-d073",
    "the secret of TURN": "planted-turn-c5f6",
    "the key of the server": "planted-key-48ea-" + "x" * 40,
}
SAYS = {name: {"content": text} for name, text in PLANTED.items()}


def description(kind: str, text: str) -> dict[str, str]:
    return {"type": kind, "sdp": f"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns={text}\r\na=candidate:1 1 udp 1 127.0.0.1 9"}


def tokens() -> list[str]:
    """A good one, one that has expired and a forged one."""
    good, expired = identity.sign("ana", time.time() + 60), identity.sign("bob", time.time() - 1)
    return [good, expired, f"{good.rpartition('~')[0]}~{expired.rpartition('~')[2]}"]


async def say_all_of_it(ana: Talk, bob: Talk) -> None:
    """Two who are in a call send all there is to send, right and wrong."""
    await ana.sends("chat_message", room="attic", payload=SAYS["what somebody says in a room"])
    await ana.sends("chat_message", toUser="bob", payload=SAYS["what somebody writes to another"])
    await ana.sends("webrtc_offer", toUser="bob", payload=description("offer", PLANTED["an offer"]))
    await bob.sends("webrtc_answer", toUser="ana", payload=description("answer", PLANTED["an answer"]))
    candidate = {"candidate": f"candidate:1 1 udp 1 {PLANTED['a candidate']} 9 typ host", "sdpMid": "0"}
    await ana.sends("webrtc_candidate", toUser="bob", payload={"candidate": candidate})
    await ana.sends("webrtc_candidate", toUser="bob", payload=candidate)
    await ana.sends("webrtc_offer", toUser="nobody", payload=description("offer", PLANTED["an offer"]))
    text = PLANTED["a frame that is malformed"]
    for frame in (text, f'{{"type": "{text}', f'{{"type": 7, "room": "{text}"}}', f'["{text}"]', f'{{"{text}": 1}}'):
        await ana.sends_text(frame)
    await ana.sends_text(json.dumps({"type": "chat_message", "payload": text * 5000}))
    declined = PLANTED["a frame that is declined"]
    await ana.sends(declined, room="{}", messageId=declined)
    for kind in ("chat_message", "join_room", "webrtc_offer", "get_direct_messages", "get_recent_messages", "hangup"):
        await ana.sends(kind, room=f"{declined} {{}}", toUser=f"{declined}\n", payload={"withUser": declined})
        await ana.sends(kind, room="attic", toUser="bob", payload={"limit": declined, "sdp": 7, "content": [declined]})
    await ana.sends("hello", payload={"events": [declined], "token": declined})
    for one in (ana, bob):
        await one.heard()


async def come_with_proofs(make: Callable[..., Any], page: dict[str, str], proofs: list[str]) -> int:
    """Whoever shows a token, in whichever way, and a session and more in cookies; how often he is let in."""
    welcomed = 0
    cookies = f"csrftoken={PLANTED['another cookie']}; sessionid={PLANTED['a cookie']}"
    for proof in proofs:
        for headers, subprotocols in (
            ({"authorization": f"Bearer {proof}"}, ()),
            ({}, ("aleatoria.v1", f"bearer.{proof}")),
            ({"cookie": f"aleatoria_guest={proof}; {cookies}"}, ()),
        ):
            query = f"room=attic&token={proof}"
            async with make("ana", query=query, headers=page | headers, subprotocols=subprotocols) as ana:
                with suppress(Closed, ConnectionClosed):
                    await ana.asks("hello", "welcome")
                    welcomed += 1
    return welcomed


def nothing_of_it(log: str, proofs: list[str]) -> None:
    """No marker, no part of a token, and nothing that generally looks wrong."""
    secrets = [*PLANTED.values(), *(part for proof in proofs for part in proof.split("~"))]
    assert [text for text in secrets if text in log] == []
    assert leaks(log) == []


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ValkeyProcess]:
    """A Valkey that lets only those in who know its password."""
    with ValkeyProcess(tmp_path) as process:
        process.client.acl_setuser(
            "aleatoria",
            enabled=True,
            passwords=[f"+{PLANTED['the password of Valkey']}"],
            keys=["*"],
            channels=["*"],
            commands=["+@all"],
        )
        yield process


@pytest.fixture
def valkey_process(mortal: ValkeyProcess) -> ValkeyProcess:
    """The one that `tab` is connected to."""
    return mortal


async def reconnect(address: Address) -> None:
    await link().stop()
    link().address = address
    await link().start()


@pytest.mark.plants
@pytest.mark.usefixtures("rooms_fail")
async def test_nothing_leaks_at_any_level(
    tab: MakeTab, mortal: ValkeyProcess, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.TURN_URLS, settings.TURN_SECRET = ["turn:t.example.com"], PLANTED["the secret of TURN"]
    log, proofs = tmp_path / "all.log", tokens()
    with collecting(log):
        for password in (PLANTED["a wrong password"], PLANTED["the password of Valkey"]):
            await reconnect(mortal.address._replace(username="aleatoria", password=password))
        assert link().health.state is State.UP
        async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
            await meet(ana, bob)
            await say_all_of_it(ana, bob)
            await ana.sends_bytes(PLANTED["a frame that is binary"].encode())
            await ana.asks("get_rooms", "error_response", payload=SAYS["what was in a frame whose handler failed"])
            await ana.asks("get_rooms", "error", payload=SAYS["what was in a frame whose handler failed"])
            await trouble_with_valkey(ana, mortal)
        assert await come_with_proofs(tab, PAGE, proofs) == 3
        await ask_over_http(monkeypatch, proofs)
    text = log.read_text()
    nothing_of_it(text, proofs)
    for said in (
        FAILED,
        "Valkey/Redis connection failed",
        "Valkey/Redis is back",
        "Valkey/Redis refused",
        "Not Found: ",
    ):
        assert said in text
    assert "Internal Server Error: " in text


async def trouble_with_valkey(ana: Talk, mortal: ValkeyProcess) -> None:
    """Everything is said while Valkey hangs, is full, and finds its keys to be something else."""
    text = PLANTED["what somebody says in a room"]
    for command in (
        ("POISON", text),
        ("SET", "planted", "x", "EX", "60"),
        ("LPUSH", "planted", text),
        ("EVAL", text, 0),
    ):
        link().post(*command)
    await ana.heard()
    mortal.hang()
    await ana.says(text)
    await ana.writes("bob", text)
    await until(State.DOWN, 3)
    mortal.go_on()
    await until(State.UP, 3)
    mortal.client.config_set("maxmemory", "1")
    await ana.says(text)
    await ana.writes("bob", text)
    await ana.sends("join_room", room="cellar")
    await ana.heard()
    mortal.client.config_set("maxmemory", "0")
    await until(State.UP, 3)
    for key in mortal.client.scan_iter():
        mortal.client.set(key, "something else", ex=60)
    await ana.says(text)
    await ana.writes("bob", text)
    await ana.writes("cleo", text)
    await ana.heard()
    mortal.client.flushall()


async def ask_over_http(monkeypatch: pytest.MonkeyPatch, proofs: list[str]) -> None:
    """Requests that find nothing, are wrong, or fail, with secrets in all of their parts."""

    async def fail(before: object) -> bytes:
        raise ValueError

    monkeypatch.setattr("aleatoria.telemetry.metrics.exposition", fail)
    client, query = AsyncClient(raise_request_exception=False), PLANTED["a query"]
    cookies = f"sessionid={PLANTED['a cookie']}; csrftoken={PLANTED['another cookie']}; aleatoria_guest={proofs[0]}"
    headers = {"authorization": f"Bearer {proofs[0]}", "cookie": cookies, "referer": f"http://testserver/?{query}"}
    for path, code in (("/nowhere", 404), ("/metrics", 500), ("/", 200)):
        assert (await client.get(f"{path}?token={query}&{query}", headers=headers)).status_code == code
    for body in (f'{{"name": "{PLANTED["a request that is malformed"]}', PLANTED["a request that is malformed"]):
        answer = await client.post(f"/api/session?{query}", body, content_type="application/json", headers=headers)
        assert answer.status_code == 400


LOUD = f"""
from aleatoria.settings import *

LOGGING["root"]["level"] = "DEBUG"
LOGGING["loggers"] = {{name: {{"level": "DEBUG"}} for name in {SERVER_SIDE}}}
"""
"""Settings with which a server logs all that it can."""


@pytest.mark.plants
async def test_nothing_leaks_from_a_real_server_at_any_level(
    server: MakeServer, mortal: ValkeyProcess, tmp_path: Path
) -> None:
    (tmp_path / "loud.py").write_text(LOUD)
    loud = PRODUCTION | {
        "DJANGO_SETTINGS_MODULE": "loud",
        "PYTHONPATH": str(tmp_path),
        "SECRET_KEY": PLANTED["the key of the server"],
        "TURN_URLS": "turn:t.example.com",
        "TURN_SECRET": PLANTED["the secret of TURN"],
        "VALKEY_USERNAME": "aleatoria",
    }
    with (
        server("well", VALKEY_PASSWORD=PLANTED["the password of Valkey"], **loud) as well,
        server("locked out", VALKEY_PASSWORD=PLANTED["a wrong password"], LOG_FORMAT="line", **loud) as locked_out,
    ):
        proofs = tokens()
        for one, welcomed in ((well, 3), (locked_out, 6)):
            proofs.append(await asyncio.to_thread(guest, one.url))
            async with Wire(one.url, "ana", room="attic") as ana, Wire(one.url, "bob", room="attic") as bob:
                await meet(ana, bob)
                await say_all_of_it(ana, bob)
                await ana.sends_bytes(PLANTED["a frame that is binary"].encode())
                await ana.hears("error_response")
            assert await come_with_proofs(partial(Wire, one.url), {"origin": one.url}, proofs) == welcomed
            for path, code in (("nowhere", 404), ("admin/", 500), ("", 200)):
                answer = await asyncio.to_thread(
                    status,
                    f"{one.url}/{path}?token={PLANTED['a query']}",
                    authorization=f"Bearer {proofs[-1]}",
                    cookie=f"sessionid={PLANTED['a cookie']}; aleatoria_guest={proofs[-1]}",
                )
                assert answer[0] == code
    for one in (well, locked_out):
        nothing_of_it(one.logged(), proofs)
        for said in ("WebSocket incoming frame on", "is in a call with", "Internal Server Error: /admin/"):
            assert said in one.logged()
    assert "Valkey/Redis connection failed" in locked_out.logged()
    assert "Valkey/Redis connection failed" not in well.logged()


def guest(url: str) -> str:
    """The token of a new guest."""
    with urllib.request.urlopen(urllib.request.Request(f"{url}/api/session", data=b"{}"), timeout=5) as response:
        return str(json.load(response)["token"])


# What watches over that in every run of the tests


SHOWS = {
    "what somebody says": "INFO: fence 0b0e7b1c-2a3d-4e5f-8a9b-0c1d2e3f4a5b",
    "a session description": r'{"message": "v=0\r\no=x"}',
    "a candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host",
    "a token": identity.sign("ana", 2e9),
    "a bearer's proof": "Authorization: Bearer 0123456789",
    "a cookie": "Cookie: sessionid=abc",
    "a password": "VALKEY_PASSWORD=s3cret",
}


@pytest.mark.parametrize(("name", "text"), list(SHOWS.items()), ids=list(SHOWS))
def test_a_leak_is_found_and_shown_with_its_line(tmp_path: Path, name: str, text: str) -> None:
    log = tmp_path / "a.log"
    log.write_text(f"one\ntwo {text} three\nfour\n")
    found = leaks_in([log, tmp_path / "there is none.log"])
    assert f"{tmp_path.name}/a.log: {name}: two {text} three" in found


@pytest.mark.parametrize("cut", [0, 1], ids=["what it says", "its signature"])
def test_half_a_token_is_a_leak_too(cut: int) -> None:
    half = f"~{identity.sign('ana', 2e9).split('~')[1]}" if cut else identity.sign("ana", 2e9).split("~")[0]
    assert leaks(f"x{half}") != []


def test_an_ordinary_log_shows_none() -> None:
    assert leaks("2026-11-24 12:00:00,000 INFO: ana-7f3k2q is connected [connection_id=0a1b2c3d]\ncandidate\n") == []


def test_all_that_the_server_logs_is_looked_at_and_nothing_of_the_tests_own(tmp_path: Path) -> None:
    log = tmp_path / "here.log"
    trace.current.set(None)
    with collecting(log):
        for name in ("aleatoria.wire.consumer", "django.request", "daphne", "redis.connection"):
            logging.getLogger(name).debug("from %s", name)
        for name in ("websockets.client", "aioice.ice", "tests", "chatty"):
            logging.getLogger(name).error("from %s", name)
    found = re.findall("DEBUG: from (.*)", log.read_text())
    assert found == ["aleatoria.wire.consumer", "django.request", "daphne", "redis.connection"]
    assert "ERROR" not in log.read_text()
