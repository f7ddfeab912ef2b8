"""Signs of what must never be in a log, and a handler that collects all that the server logs."""

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aleatoria.telemetry.logs import JsonLineFormatter, LineFormatter, TraceFilter
from tests.support.repository import ROOT

SERVER_SIDE = (
    "aleatoria",
    "chat",
    "matchmaking",
    "django",
    "daphne",
    "twisted",
    "autobahn",
    "channels",
    "channels_redis",
    "redis",
    "asyncio",
    "py.warnings",
)
"""Not those of what the tests themselves speak with: a WebSocket client logs its frames, a browser its candidates."""

SIGNS = {
    "what somebody says": r"fence [0-9a-f]{8}-[0-9a-f]{4}-",
    "a session description": r"v=0(?:\r\n|\\+r\\+n)|\bo=- |a=candidate",
    "a candidate": r"candidate:\w",
    "a token": r"eyJ1c2VySWQi|[\w-]~[\w-]{43}(?![\w-])",
    "a bearer's proof": r"bearer\.[\w~-]{8}|Bearer +[\w~-]{8}",
    "a cookie": r"(?:aleatoria_guest|sessionid|csrftoken)['\"]?\s*[=:]\s*['\"]?[\w~.-]",
    "a password": r"s3cret|wr0ng|north-wind",
}
_ANY = re.compile("|".join(f"(?P<sign{number}>{sign})" for number, sign in enumerate(SIGNS.values())))
_AROUND = 200


def leaks(text: str) -> list[str]:
    """Return what in a log looks like something that must not be there, each with its line."""
    return [f"{_names(found)}: {_line(text, found)}" for found in _ANY.finditer(text)]


def leaks_in(logs: Iterable[Path]) -> list[str]:
    """Return the same for log files, with their names."""
    return [
        f"{log.parent.name}/{log.name}: {leak}"
        for log in logs
        if log.exists()
        for leak in leaks(log.read_text(errors="backslashreplace"))
    ]


def _names(found: re.Match[str]) -> str:
    assert found.lastgroup is not None
    return list(SIGNS)[int(found.lastgroup.removeprefix("sign"))]


def _line(text: str, found: re.Match[str]) -> str:
    start, end = text.rfind("\n", 0, found.start()) + 1, text.find("\n", found.start())
    end = len(text) if end < 0 else max(end, found.end())
    return text[max(start, found.start() - _AROUND) : min(end, found.end() + _AROUND)]


class Collector(logging.Handler):
    """A handler that writes what the server logs to a file, in both formats."""

    def __init__(self, log: Path) -> None:
        super().__init__(logging.DEBUG)
        self._file = log.open("w", encoding="utf-8")
        self._formatters = (LineFormatter(), JsonLineFormatter())
        self.addFilter(TraceFilter())
        self.addFilter(_is_of_the_server)

    def emit(self, record: logging.LogRecord) -> None:
        for formatter in self._formatters:
            self._file.write(f"{formatter.format(record)}\n")

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        super().close()
        self._file.close()


def _is_of_the_server(record: logging.LogRecord) -> bool:
    if record.name == "root":
        path = Path(record.pathname)
        return any(path.is_relative_to(ROOT / package) for package in ("aleatoria", "chat", "matchmaking"))
    return any(record.name == name or record.name.startswith(f"{name}.") for name in SERVER_SIDE)


@contextmanager
def collecting(log: Path) -> Iterator[None]:
    """All that the server's side logs at any level goes to a file too; elsewhere nothing more is shown than before."""
    root, collector = logging.getLogger(), Collector(log)
    loggers = [logging.getLogger(name) for name in SERVER_SIDE]
    before = [(logger, logger.level) for logger in loggers]
    # pytest's own among them: `caplog` sees what it would see without us.
    shown = [handler for handler in root.handlers if handler.level == logging.NOTSET]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    for handler in shown:
        handler.setLevel(logging.INFO)
    root.addHandler(collector)
    try:
        yield
    finally:
        root.removeHandler(collector)
        for handler in shown:
            handler.setLevel(logging.NOTSET)
        for logger, level in before:
            logger.setLevel(level)
        collector.close()
