"""Times: RFC 3339 text on the wire, whole microseconds since 1970 inside the server."""

import re
import time
from datetime import UTC, datetime, timedelta

MICROSECOND, MILLISECOND = timedelta(microseconds=1), timedelta(milliseconds=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_last = 0
# The last second that was formatted, as a number and as text. Most calls are about the same second.
_second, _second_text = 0, "1970-01-01T00:00:00"


def now() -> int:
    """Return the time in microseconds. Each call in a process returns a later time than the call before it."""
    global _last
    # The score in a sorted set is a double. For nanoseconds of this date its precision is 256 ns: enough to tell
    # microseconds apart, but not nanoseconds.
    _last = max(_last + 1, time.time_ns() // 1000)
    return _last


def text(micros: int) -> str:
    """Return `micros` as RFC 3339 text in UTC with six decimals."""
    global _second, _second_text
    seconds, fraction = divmod(micros, 1_000_000)
    if seconds != _second:
        _second, _second_text = seconds, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{_second_text}.{fraction:06d}Z"


def micros(moment: str) -> int:
    """Return the microseconds of a text that `text` has returned."""
    if moment.startswith(_second_text):
        return _second * 1_000_000 + int(moment[20:26])
    return nanoseconds(moment) // 1000


def nanoseconds(moment: str) -> int:
    """Return an RFC 3339 time, of any precision and offset, in nanoseconds since 1970. Raises ValueError if invalid."""
    match = _RFC3339.fullmatch(moment)
    if match is None:
        raise ValueError("use a form like 2025-10-10T12:00:00.000Z")
    year, month, day, hour, minute, second = (int(group) for group in match.group(1, 2, 3, 4, 5, 6))
    leap = second == 60
    date = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=UTC) - _EPOCH
    fraction = int((match[7] or "0")[:9].ljust(9, "0"))
    return (date.days * 86400 + date.seconds + leap - _offset(match)) * 1_000_000_000 + fraction


def _offset(match: re.Match[str]) -> int:
    """Return the offset in seconds east of UTC."""
    if match[8] is None:
        return 0
    hours, minutes = int(match[9]), int(match[10])
    if hours > 23 or minutes > 59:
        raise ValueError("offsets can be up to 23:59")
    seconds = hours * 3600 + minutes * 60
    return -seconds if match[8] == "-" else seconds
