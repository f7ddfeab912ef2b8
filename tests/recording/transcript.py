"""What was sent and received, as lines of text in which everything is masked that differs from run to run."""

import re
from collections.abc import Callable

TOKEN = re.compile(r"eyJ1c2VySWQi[\w-]+~[\w-]{43}")
MASKS: dict[str, re.Pattern[str]] = {
    "own origin": re.compile(r"http://127\.0\.0\.1:\d+"),
    "token": TOKEN,
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|\+00:00)"),
    "second": re.compile(r'(?:(?<="since": ")|(?<="expiresAt": "))20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ(?=")'),
    "date": re.compile(r"\w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT"),
    "id": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    "cursor": re.compile(r'(?:(?<="cursor":")|(?<="cursor": "))[\w-]{24,}=*(?=")'),
    "expiry": re.compile(r'(?<="username":")\d{10}(?=:)'),
    "credential": re.compile(r'(?<="credential":")[A-Za-z0-9+/]{27}=(?=")'),
    "suffix": re.compile(r'(?<=[\w>]-)[a-kmnp-z2-9]{10}(?=")'),
}
"""What differs from one run to the next. Of times and ids it is compared whether they are new or known."""
_COMPARED_BY_AGE = ("time", "id")
_ERROR_TEXT = re.compile(r'^(\{"type":"error",.*?"payload":\{"error":|\{"error": )"(?:[^"\\]|\\.)*"')
_DETAILS = re.compile(r'^(\{"type":"error_response",.*?,"details":)"(?:[^"\\]|\\.)*"')
_RETRY_AFTER = re.compile(r'^(\{"type":"error",.*?,"retryAfter":)\d+(?:\.\d+)?(?=\})')
_RUN = re.compile(r"(.)\1{39,}", re.DOTALL)


class Transcript:
    """The lines of a recording.

    Ids and times are masked, and a mask says whether the value is new or was seen before: the `createTime` of a message
    in a history must be a known one. Also masked are the wording of errors, the number in `retryAfter`, tokens,
    cursors, the credentials of TURN, the random end of a guest's id and the server's own origin. Nothing else is. A
    character that repeats 40 times or more is written once, with its count.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._known: set[str] = set()

    def adds(self, who: str, sign: str, text: str) -> None:
        """Add a line. `text` may be of any length and hold any character."""
        shown = self.masked(text)
        shown = f"{shown[:-1]}<U+0020>" if shown.endswith(" ") else shown
        self.lines.append(f"{who} {sign} {shown}".removesuffix(" "))

    def masked(self, text: str) -> str:
        """Return `text` as it stands in the recording."""
        text = _RUN.sub(lambda run: f"<{len(run[0])} times {run[1]}>", text)
        text = _ERROR_TEXT.sub(r'\1"<text>"', text)
        text = _DETAILS.sub(r'\1"<text>"', text)
        text = _RETRY_AFTER.sub(r"\1<seconds>", text)
        for name, pattern in MASKS.items():
            text = pattern.sub(self._mask(name), text)
        return "".join(char if char.isprintable() else f"<U+{ord(char):04X}>" for char in text)

    def _mask(self, name: str) -> Callable[[re.Match[str]], str]:
        def mask(found: re.Match[str]) -> str:
            is_known = found[0] in self._known
            self._known.add(found[0])
            return f"<known {name}>" if is_known and name in _COMPARED_BY_AGE else f"<{name}>"

        return mask
