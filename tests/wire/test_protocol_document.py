"""docs/protocol.md against the code: every message we answer has an example, every error code is explained."""

import ast
import json
import re

import pytest

from aleatoria.routing import SocketConsumer
from aleatoria.wire import envelope
from aleatoria.wire.dispatch import Handler
from aleatoria.wire.errors import (
    BANNED,
    CLOSES,
    ERRORS,
    FORBIDDEN,
    MALFORMED,
    CloseCode,
    ErrorCode,
    MalformedFrame,
    Refused,
)
from aleatoria.wire.limits import OTHER, Rate
from chat.consumers import ChatConsumer
from matchmaking.consumers import MatchmakingConsumer
from tests.support.protocol import DOCUMENT, rows
from tests.support.repository import ROOT

ALL_OTHERS = frozenset(["all others", "and unknown types"])


def examples() -> list[str]:
    """The frames in the document: one a line or over several, in fences marked `json`."""
    found: list[str] = []
    decoder = json.JSONDecoder()
    for block in re.findall(r"^```json\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL):
        rest = block.strip()
        while rest:
            _, end = decoder.raw_decode(rest)
            found.append(rest[:end])
            rest = rest[end:].lstrip()
    return found


def tables() -> dict[str, Handler]:
    """Everything that any mounted socket answers."""
    return SocketConsumer.handlers | ChatConsumer.handlers | MatchmakingConsumer.handlers


def rates() -> dict[Rate, set[str]]:
    """Every rate that a mounted socket limits by, with the types of messages it limits."""
    found: dict[Rate, set[str]] = {}
    for kind, handler in tables().items():
        found.setdefault(handler.rate, set()).add(kind)
    return found


def imported(source: str) -> set[str]:
    """The names that a module imports from others."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    return {alias.name for node in nodes for alias in node.names}


def test_every_example_is_an_envelope() -> None:
    assert examples()
    for example in examples():
        assert envelope.decode(example).type


@pytest.mark.parametrize("kind", sorted(tables()))
def test_every_message_we_answer_has_an_example(kind: str) -> None:
    assert kind in {envelope.decode(example).type for example in examples()}


def test_the_error_codes_of_the_document_are_those_of_the_code() -> None:
    assert {"malformed", "too_large", "unknown_type", "rate_limited", "forbidden", "internal"} <= ERRORS.keys()
    listed = [(f"`{code.name}`", code.meaning, code.client.value) for code in ERRORS.values()]
    assert sorted(rows("Error codes")) == sorted(listed)


def test_the_close_codes_of_the_document_are_those_of_the_code() -> None:
    assert {4400, 4401, 4403, 4408, 4429, 1012} <= CLOSES.keys()
    listed = [(str(code.number), code.meaning, code.client.value) for code in CLOSES.values()]
    assert sorted(rows("Close codes")) == sorted(listed)


def test_the_rates_of_the_document_are_those_of_the_code() -> None:
    assert OTHER in rates()
    listed = {
        (rate.name, ALL_OTHERS if rate is OTHER else frozenset(kinds), f"{rate.per_second:g}", str(rate.burst))
        for rate, kinds in rates().items()
    }
    written = {
        (name, frozenset(kinds.replace("`", "").split(", ")), *numbers) for name, kinds, *numbers in rows("Limits")
    }
    assert written == listed


def test_no_two_rates_have_one_name() -> None:
    names = [rate.name for rate in rates()]
    assert len(names) == len(set(names))


def test_every_error_code_is_used() -> None:
    files = [file for top in ("aleatoria", "chat", "matchmaking") for file in (ROOT / top).rglob("*.py")]
    used = set[str]().union(*(imported(file.read_text()) for file in files))
    assert {code for code in ERRORS if code.upper() not in used} == set()


def test_a_second_code_of_the_same_name_or_number_is_an_error() -> None:
    with pytest.raises(TypeError, match="forbidden"):
        ErrorCode("forbidden", FORBIDDEN.meaning, FORBIDDEN.client)
    with pytest.raises(TypeError, match="4403"):
        CloseCode(4403, BANNED.meaning, BANNED.client)
    assert (ERRORS["forbidden"], CLOSES[4403]) == (FORBIDDEN, BANNED)


def test_a_refusal_says_its_code_and_no_other() -> None:
    assert Refused(FORBIDDEN, "No.").code is FORBIDDEN
    assert MalformedFrame("what").code is MALFORMED
