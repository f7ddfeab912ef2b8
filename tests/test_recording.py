"""The server sends what it sent when the recording was made, byte for byte, apart from ids, times and wording.

When the wire is meant to change, make the recording anew and read the difference before you commit it:

    DJANGO_SETTINGS_MODULE=tests.settings .venv/bin/python -m tests.recording
"""

import difflib
import json
import re
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.recording.recorder import Recording
from tests.recording.servers import KINDS
from tests.recording.takes import kept, take
from tests.recording.transcript import Transcript
from tests.support.repository import ROOT

DOCUMENT = (ROOT / "docs" / "protocol.md").read_text()
CONVERSATION = kept()["daphne"].common
CHANGES_SHOWN, WIDTH = 12, 1500
# The table of error codes and that of close codes are covered in full. A code that a test cannot provoke would stand
# here, with the reason.
NOT_PROVOKED = {
    "1000": "sent by clients",
    "1001": "sent by clients",
    "1005": "never on the wire",
    "1006": "never on the wire",
    "1002": "sent by the library of one server: in its own part of the recording",
    "1009": "sent by the library of one server: in its own part of the recording",
}


# The replay


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def recordings(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Recording]]:
    """What both kinds of servers say now."""
    yield await take(tmp_path_factory.mktemp("recording"))


@pytest.mark.timeout(150)
@pytest.mark.parametrize("kind", KINDS)
def test_the_conversation_is_the_recorded_one(recordings: dict[str, Recording], kind: str) -> None:
    assert_unchanged(kept()[kind].common, recordings[kind].common)


@pytest.mark.timeout(150)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_up_to_the_server_is_as_recorded(recordings: dict[str, Recording], kind: str) -> None:
    assert_unchanged(kept()[kind].own, recordings[kind].own)


def assert_unchanged(recorded: list[str], now: list[str]) -> None:
    """Fail with the changes in a form for people, if there are any."""
    if recorded != now:
        pytest.fail("\n".join(["the wire has changed (-: recorded, +: now)", *changes(recorded, now)]), pytrace=False)


def changes(recorded: list[str], now: list[str]) -> Iterator[str]:
    """Return the lines of the first changes, each below the heading of its scene."""
    groups = list(difflib.SequenceMatcher(None, recorded, now, autojunk=False).get_grouped_opcodes(2))
    for group in groups[:CHANGES_SHOWN]:
        begin = group[0][1]
        yield next((line for line in reversed(recorded[: begin + 3]) if line.startswith("# ")), "#")
        for tag, i1, i2, j1, j2 in group:
            yield from shown(" ", recorded[i1:i2] if tag == "equal" else [])
            yield from shown("-", recorded[i1:i2] if tag != "equal" else [])
            yield from shown("+", now[j1:j2] if tag != "equal" else [])
    if len(groups) > CHANGES_SHOWN:
        yield f"… and {len(groups) - CHANGES_SHOWN} more places"


def shown(sign: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield f"{sign} {line if len(line) <= WIDTH else line[:WIDTH] + '…'}"


def test_a_change_is_shown_below_the_heading_of_its_scene() -> None:
    recorded = ["# One", "a", "b", "c", "# Two", "d", "e", "f", "g"]
    now = ["# One", "a", "b", "c", "# Two", "d", "e", "F", "g"]
    assert list(changes(recorded, now)) == ["# Two", "  d", "  e", "- f", "+ F", "  g"]
    assert list(changes(recorded, recorded)) == []


# What the recording covers


def received() -> str:
    """What clients receive."""
    return "\n".join(line for line in CONVERSATION if re.match(r"[^#*\n]+ [<x] ", line))


def sent() -> str:
    """What clients send."""
    return "\n".join(line for line in CONVERSATION if re.match(r"[^#*\n]+ > ", line))


def table(heading: str) -> set[str]:
    """Return the first column of the first table below a heading of the document."""
    section = re.split(r"^#+ ", DOCUMENT.split(f"{heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    cells = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
    return {cell.strip("`") for cell in cells[1:]}


def examples() -> list[dict[str, object]]:
    """Return the frames of the document, which stand one a line."""
    blocks = re.findall(r"^```json\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    return [json.loads(line) for block in blocks for line in block.splitlines()]


def test_every_error_code_is_in_the_recording() -> None:
    codes = set(re.findall(r'"code": ?"([^"]*)"', received()))
    assert codes == table("### Error codes") - NOT_PROVOKED.keys()


def test_every_close_code_is_in_the_recording() -> None:
    codes = set(re.findall(r"^[^#*\n]+ x (\d+)", received(), re.MULTILINE))
    assert codes == table("### Close codes") - NOT_PROVOKED.keys()


def test_only_libraries_close_with_other_codes() -> None:
    own = "\n".join(line for recording in kept().values() for line in recording.own)
    assert set(re.findall(r" x (\d+)", own)) <= table("### Close codes")


def test_every_type_that_a_client_may_send_is_in_the_recording() -> None:
    limited = set(re.findall(r"`([a-z_]+)`", DOCUMENT.split("### Limits\n", 1)[1].split("\n## ", 1)[0]))
    types = {str(frame["type"]) for frame in examples() if "createTime" not in frame} | limited
    assert types - set(re.findall(r'"type" ?: ?"([a-z_]+)"', sent())) == set()


def test_every_type_that_the_server_sends_is_in_the_recording() -> None:
    types = {str(frame["type"]) for frame in examples() if "createTime" in frame}
    assert types - set(re.findall(r'^[^#*\n]+ < \{"type":"([a-z_]+)"', received(), re.MULTILINE)) == set()


def test_every_type_in_the_recording_has_an_example_in_the_document() -> None:
    types = set(re.findall(r'^[^#*\n]+ < \{"type":"([a-z_]+)"', received(), re.MULTILINE))
    assert types - {str(frame["type"]) for frame in examples()} == set()


def test_every_reason_of_a_hangup_is_in_the_recording() -> None:
    reasons = set(re.findall(r"^\| `([a-z]+)` \| (?:asked|closed|lost|is no)", DOCUMENT, re.MULTILINE))
    assert reasons == {"skipped", "disconnected", "timeout"}
    assert set(re.findall(r'"reason":"([a-z]+)"', received())) == reasons


def test_every_path_of_the_document_is_in_the_recording() -> None:
    paths = {path for path in table("## Connecting") if path.startswith("/")}
    assert paths == {"/ws", "/ws/chat", "/ws/matchmaking"}
    assert paths <= set(re.findall(r" > GET ([^?]+)\?", sent()))


# What is compared


ERROR = '{"type":"error","createTime":"2026-11-24T09:05:02.853642Z","payload":{"error":"Hm \\"x\\".",%s}}'
MASKED = '{"type":"error","createTime":"<time>","payload":{"error":"<text>",%s}}'


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (ERROR % '"code":"a","retryAfter":0.09', MASKED % '"code":"a","retryAfter":<seconds>'),
        (ERROR % '"retryAfter":"1"', MASKED % '"retryAfter":"1"'),
        ('{"type":"chat_message","payload":{"error":"kept","code":"kept"}}',) * 2,
        ('"createTime":"2026-11-24T09:05:02.85364Z"',) * 2,
        ('"messageId":"a-1"',) * 2,
        ('"messageId":"2b185e0c-0312-43b0-addf-196ad24e7fff"', '"messageId":"<id>"'),
        ('"messageId":"2b185e0c-0312-13b0-addf-196ad24e7fff"',) * 2,
        ("x" * 39,) * 2,
        ("x" * 40, "<40 times x>"),
        ("a\nb", "a<U+000A>b"),
    ],
    ids=[
        "an error", "retryAfter is a number", "what people say", "five decimals", "the client's own id",
        "the server's id", "an id of another version", "a short run", "a long run", "a line break",
    ],
)  # fmt: skip
def test_only_what_must_differ_is_masked(text: str, masked: str) -> None:
    assert Transcript().masked(text) == masked


def test_a_time_that_was_seen_before_is_told_from_a_new_one() -> None:
    transcript = Transcript()
    times = ["2026-11-24T09:05:02.853642Z", "2026-11-24T09:05:02.853643Z"]
    assert [transcript.masked(time) for time in (*times, times[0])] == ["<time>", "<time>", "<known time>"]
