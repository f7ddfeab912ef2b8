"""docs/protocol.md against the code: every message we answer has an example, every error code is explained."""

import ast
import json
import re
from typing import Any

import pytest

from aleatoria.routing import SocketConsumer
from aleatoria.servers import daphne as server
from aleatoria.wire import admission, consumer, envelope, reception
from aleatoria.wire.dispatch import Handler
from chat.consumers import ChatConsumer
from matchmaking.consumers import MatchmakingConsumer
from tests.support.repository import ROOT

DOCUMENT = (ROOT / "docs" / "protocol.md").read_text()
REFUSALS = ("Refused", "MalformedFrame", "WireError", "_error")


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


def codes_in(source: str) -> set[str]:
    """The error codes a source text gives: `Refused("code", …)`, `code="code"` and `code = "code"` in a class."""
    found: set[Any] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in REFUSALS:
            arguments = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "code")]
            found |= {argument.value for argument in arguments if isinstance(argument, ast.Constant)}
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "code":
            found |= {node.value.value} if isinstance(node.value, ast.Constant) else set()
        elif isinstance(node, ast.FunctionDef):
            found |= {
                default.value
                for argument, default in zip(node.args.args[::-1], node.args.defaults[::-1], strict=False)
                if argument.arg == "code" and isinstance(default, ast.Constant)
            }
    return {code for code in found if isinstance(code, str) and re.fullmatch(r"[a-z_]+", code)}


def explained(word: str) -> bool:
    """Whether a table of the document has a row for `word`."""
    return re.search(rf"^\| `?{re.escape(word)}`? \|", DOCUMENT, re.MULTILINE) is not None


def test_every_example_is_an_envelope() -> None:
    assert examples()
    for example in examples():
        assert envelope.decode(example).type


@pytest.mark.parametrize("kind", sorted(tables()))
def test_every_message_we_answer_has_an_example(kind: str) -> None:
    assert kind in {envelope.decode(example).type for example in examples()}


def test_every_error_code_in_the_code_is_explained() -> None:
    sources = [file.read_text() for top in ("aleatoria", "chat", "matchmaking") for file in (ROOT / top).rglob("*.py")]
    codes = set[str]().union(*map(codes_in, sources))
    assert {"malformed", "too_large", "unknown_type", "rate_limited", "forbidden", "internal"} <= codes
    assert {code for code in codes if not explained(code)} == set()


@pytest.mark.parametrize(
    "code",
    [
        admission.BAD_REQUEST,
        admission.UNIDENTIFIED,
        consumer.SLOW_READER,
        reception.FLOODING,
        consumer.BANNED,
        server.SERVICE_RESTART,
    ],
)
def test_every_close_code_is_explained(code: int) -> None:
    assert explained(str(code))


def test_codes_are_found_however_they_are_given() -> None:
    source = """
class A(Exception):
    code = "one"
    def __init__(self, text: str, code: str = "two") -> None: ...
raise Refused("three", "Text for a person.")
raise envelope.Refused("four", f"Text {for_a} person.")
raise MalformedFrame("Some text", code="five")
_error(403, "six", "Text.")
"""
    assert codes_in(source) == {"one", "two", "three", "four", "five", "six"}
    assert not explained("no_such_code")
