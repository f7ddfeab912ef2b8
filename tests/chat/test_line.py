"""How a kept message is laid out, byte by byte, and that Python and the scripts read it alike."""

import json
from itertools import product
from typing import Any, NamedTuple

import msgspec
import pytest
import redis

from aleatoria.wire import envelope
from aleatoria.wire.envelope import Envelope
from chat.store.line import PRELUDE, created_in, is_from, message_in, with_incoming

NOON = "2025-10-10T12:00:00.000001Z"
OTHER = "1999-12-31T23:59:59.000000Z"
FIELDS: dict[str, tuple[object, str]] = {
    "type": ("chat_message", '"type":"chat_message"'),
    "from_user": ("ana", '"fromUser":"ana"'),
    "to_user": ("bob", '"toUser":"bob"'),
    "room": ("café am Eck", '"room":"café am Eck"'),
    "message_id": ('m"1\\', r'"messageId":"m\"1\\"'),
    "create_time": (NOON, f'"createTime":"{NOON}"'),
    "incoming": (True, '"incoming":true'),
    "payload": (msgspec.Raw(b'{"content":"hi"}'), '"payload":{"content":"hi"}'),
}
"""What an envelope holds, in the order in which it is written, and each as it is written."""
READ = 'return {created_in(ARGV[1]), is_from(ARGV[1], ARGV[2]) and "yes" or "no"}'
COPY = "return {copies_of(ARGV[1])}"


def in_script(client: redis.Redis, body: str, *args: str) -> list[str]:
    """What a script with the prelude returns."""
    returned: Any = client.eval(PRELUDE.read_text() + body, 0, *args)
    return [part.decode() for part in returned]


class Case(NamedTuple):
    """A line, and what is to be read from it."""

    line: str
    created: str = NOON
    is_from_ana: bool = True


def said(content: str, message_id: str = "m1", **more: str) -> str:
    """The line of a message from ana to bob."""
    payload = envelope.raw({"content": content} | more)
    message = Envelope("chat_message", "ana", "bob", message_id=message_id, create_time=NOON, payload=payload)
    return envelope.encode(message)


FORGED = f'x","createTime":"{OTHER}","payload":{{"content":"fake"}},"fromUser":"eve","y":"'
WRITTEN = {
    "plain": Case(said("hello")),
    "empty texts in the payload": Case(said("", "")),
    "quotes in the content": Case(said('she said "hi"')),
    "a time in the content": Case(said(f'"createTime":"{OTHER}"')),
    "a payload in the content": Case(said(',"payload":{}')),
    "a whole line in the content": Case(said(said(FORGED))),
    "a time beside the content": Case(said("hello", createTime=OTHER)),
    "quotes in the id": Case(said("hello", '"m1"')),
    "fields in the id": Case(said("hello", FORGED)),
    "a payload in the id": Case(said("hello", ',"payload":')),
    "a backslash at the end of the id": Case(said("hello", "m1\\")),
    "backslashes before quotes in the id": Case(said("hello", '\\",\\\\"payload":\\')),
    "a pattern in the id": Case(said("hello", "%1%b[^")),
    "other letters": Case(said("é€😀\x00\n", "日本")),
    "in a room": Case(
        f'{{"type":"chat_message","fromUser":"ana","room":"attic","createTime":"{NOON}","payload":{{"content":"hi"}}}}'
    ),
}
"""Lines as this server writes them."""
CASES = WRITTEN | {
    "nanoseconds of the original server": Case(
        '{"type":"chat_message","fromUser":"ana","toUser":"bob","messageId":"m1",'
        '"createTime":"2025-10-10T12:00:00.123456789Z","payload":{"content":"hi"}}',
        created="2025-10-10T12:00:00.123456789Z",
    ),
    "an offset": Case(
        '{"type":"chat_message","fromUser":"ana","createTime":"2025-10-10T14:00:00+02:00","payload":{"content":"hi"}}',
        created="2025-10-10T14:00:00+02:00",
    ),
    "from somebody else": Case(
        f'{{"type":"chat_message","fromUser":"ana2","createTime":"{NOON}","payload":{{"content":"hi"}}}}',
        is_from_ana=False,
    ),
    "from nobody": Case(
        f'{{"type":"chat_message","createTime":"{NOON}","payload":{{"fromUser":"ana"}}}}', is_from_ana=False
    ),
    "another type": Case(
        f'{{"type":"hangup","fromUser":"ana","createTime":"{NOON}","payload":{{}}}}', is_from_ana=False
    ),
    "no time": Case('{"type":"chat_message","fromUser":"ana","payload":{}}', created=""),
    "an empty time": Case('{"type":"chat_message","fromUser":"ana","createTime":"","payload":{}}', created=""),
    "half a time": Case('{"type":"chat_message","fromUser":"ana","payload":{},"createTime":"2025', created=""),
}
ALL = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def test_every_combination_of_fields_is_laid_out_in_one_order() -> None:
    for chosen in product([False, True], repeat=len(FIELDS)):
        there = [field for field, is_there in zip(FIELDS, chosen, strict=True) if is_there]
        given: dict[str, Any] = {field: FIELDS[field][0] for field in there}
        assert envelope.encode(Envelope(**given)) == "{" + ",".join(FIELDS[field][1] for field in there) + "}"


def test_empty_fields_are_those_left_out() -> None:
    assert set(FIELDS) == set(Envelope.__struct_fields__)
    empty = Envelope(type="", from_user="", to_user="", room="", message_id="", create_time="", incoming=None)
    assert envelope.encode(empty) == "{}"


@ALL
def test_python_and_scripts_read_a_line_alike(keys: redis.Redis, case: Case) -> None:
    line = case.line.encode()
    assert (created_in(line), is_from(line, "ana")) == (case.created, case.is_from_ana)
    assert in_script(keys, READ, case.line, "ana") == [case.created, "yes" if case.is_from_ana else "no"]


@ALL
def test_the_copies_are_the_line_with_incoming_before_the_payload(keys: redis.Redis, case: Case) -> None:
    received, sent = (with_incoming(case.line, incoming=incoming) for incoming in (True, False))
    assert in_script(keys, COPY, case.line) == [received, sent]
    assert received.replace(',"incoming":true,"payload":', ',"payload":', 1) == case.line
    assert sent.replace(',"incoming":false,"payload":', ',"payload":', 1) == case.line


@pytest.mark.parametrize("case", WRITTEN.values(), ids=WRITTEN.keys())
def test_a_copy_is_what_encoding_the_message_anew_would_give(case: Case) -> None:
    kept = message_in(case.line.encode())
    assert envelope.encode(kept) == case.line
    for incoming in (True, False):
        copy = envelope.encode(msgspec.structs.replace(kept, incoming=incoming))
        assert with_incoming(case.line, incoming=incoming) == copy
        assert json.loads(copy) == json.loads(case.line) | {"incoming": incoming}


@pytest.mark.parametrize("user", ["ana", "b.o~b@c+d-e_f", "0", "B" * 64])
def test_a_user_is_told_from_all_who_are_called_alike(keys: redis.Redis, user: str) -> None:
    line = f'{{"type":"chat_message","fromUser":"{user}","createTime":"{NOON}","payload":{{"content":"hi"}}}}'
    for other in (user, user[:-1], f"{user}2", user.swapcase() + "x", f"x{user}", ".*", user.replace(".", "x") + "%"):
        assert is_from(line.encode(), other) is (other == user)
        assert in_script(keys, READ, line, other)[1] == ("yes" if other == user else "no")
