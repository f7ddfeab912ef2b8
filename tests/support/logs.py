"""Patterns, settings and requests that tests of the log share."""

import re
import urllib.error
import urllib.request

PAGE = {"origin": "http://testserver", "host": "testserver"}
LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (?P<level>[A-Z]+): (?P<message>.*?)(?: \[(?P<ids>\w+=\S+(?: \w+=\S+)*)\])?"
)
FAILED = "the handler of a message failed"
PRODUCTION = {
    "DEBUG": "off",
    "SECRET_KEY": "x" * 50,
    "ALLOWED_HOSTS": "127.0.0.1",
    "TRUST_USER_ID": "on",
}


def status(url: str, **headers: str) -> tuple[int, str]:
    """Return the status of a response and its request id."""
    request = urllib.request.Request(url, headers={name.replace("_", "-"): text for name, text in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, response.headers["X-Request-ID"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["X-Request-ID"]
