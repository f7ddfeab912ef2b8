"""The two formats of the log: an event is one line, whatever its text."""

import io
import json
import logging
import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aleatoria.telemetry.logs import JsonLineFormatter, LineFormatter
from tests.support.logs import LINE


def logged(formatter: logging.Formatter, log: Callable[[logging.Logger], None]) -> str:
    """Return what a handler with this formatter writes."""
    logger, stream = logging.Logger("chat.somewhere"), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    log(logger)
    return stream.getvalue()


def lines_of(text: str) -> list[str]:
    """Return the lines of a log. Every kind of line break counts."""
    assert text.endswith("\n")
    return text.removesuffix("\n").splitlines()


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


def test_json_says_when_in_utc_wherever_the_server_is(monkeypatch: pytest.MonkeyPatch) -> None:
    record = logging.LogRecord("chat.somewhere", logging.INFO, "", 0, "hello", None, None)
    record.created = 1_800_000_000.25
    for zone in ("Asia/Tokyo", "UTC"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert json.loads(JsonLineFormatter().format(record))["time"] == "2027-01-15T08:00:00.250000+00:00"
    monkeypatch.undo()
    time.tzset()


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
    """Return a function that logs two chained exceptions with this text, and the stack."""

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
