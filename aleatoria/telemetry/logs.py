"""One line an event: JSON for programs, or a line for people. Either way one event cannot pass for two."""

import logging
import re
from copy import copy
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from aleatoria.telemetry import trace

# What no line of ours shows need not be found out for each.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

_IDS = ("connection_id", "request_id", "call_id")
# Also what turns text around, what some terminals take for the end of a line, and what no file can hold.
_HIDDEN = r"\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff"
_CONTROL = re.compile(rf"[\x00-\x1f{_HIDDEN}]")
_CONTROL_BUT_NEWLINE = re.compile(rf"[\x00-\x09\x0b-\x1f{_HIDDEN}]")


def escaped(text: str, control: re.Pattern[str] = _CONTROL) -> str:
    """The text with each control character as one sees it in source code."""
    return control.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class TraceFilter(logging.Filter):
    """Gives each record the connection, request and call it is about."""

    def filter(self, record: logging.LogRecord) -> bool:
        cause = trace.current.get()
        if cause is not None:
            for name, value in cause.fields().items():
                if not hasattr(record, name):
                    setattr(record, name, value)
        return True


class LineFormatter(logging.Formatter):
    """`2026-11-24 12:00:00,000 INFO: what happened [connection_id=…]`; a traceback is indented below."""

    def __init__(self) -> None:
        # The level and a colon before the text: operators grep for `WARNING: Valkey/Redis connection failed`.
        super().__init__("%(asctime)s %(levelname)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        # Another handler may have left its own text of the traceback in the record, which would be taken as it is.
        own = copy(record)
        own.exc_text = None
        return super().format(own)

    def formatMessage(self, record: logging.LogRecord) -> str:
        ids = [f"{name}={getattr(record, name)}" for name in _IDS if hasattr(record, name)]
        line = escaped(super().formatMessage(record))
        return f"{line} [{' '.join(ids)}]" if ids else line

    def formatException(self, ei: Any) -> str:
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        return _indented(super().formatStack(stack_info))


class JsonLineFormatter(logging.Formatter):
    """`{"time": …, "level": "INFO", "logger": …, "message": …, "connection_id": …}`, in ASCII.

    Nothing else that is in the record: what libraries add is not known to be free of secrets.
    """

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        event |= {name: getattr(record, name) for name in _IDS if hasattr(record, name)}
        if record.exc_info:
            event["exc_info"] = self.formatException(record.exc_info)
        if record.stack_info:
            event["stack_info"] = self.formatStack(record.stack_info)
        return "{" + ", ".join([f'"{name}": {quoted(value)}' for name, value in event.items()]) + "}"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in escaped(text, _CONTROL_BUT_NEWLINE).split("\n"))
