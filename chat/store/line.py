"""How a kept message is laid out. This module knows it for Python, `line.lua` for scripts, and nothing else does.

A line is the frame of a message as `envelope.encode` writes it: JSON without spaces, its fields in this order, and
those that are empty left out.

    {"type":"chat_message","fromUser":…,"toUser":…,"room":…,"messageId":…,"createTime":…,"payload":{…}}

Quotes inside a text are escaped and the payload comes last. So what is found first is the server's own field, whatever
people write. A copy that is sent to one of two users has `incoming` before the payload; a kept line does not.
"""

import re
from pathlib import Path

from aleatoria.wire import envelope
from aleatoria.wire.envelope import Envelope

PRELUDE = Path(__file__).with_name("line.lua")
"""The same for scripts: `Script(path, prelude=PRELUDE)`."""
MESSAGE = "chat_message"
"""The type of every kept message."""
_CREATED = re.compile(rb'"createTime":"([^"]*)"')
_PAYLOAD = ',"payload":'


def created_in(line: bytes) -> str:
    """The createTime of a line; "" when it has none."""
    found = _CREATED.search(line)
    return found[1].decode() if found else ""


def is_from(line: bytes, user: str) -> bool:
    """Whether a line is a message from this user."""
    return line.startswith(f'{{"type":"{MESSAGE}","fromUser":"{user}",'.encode())


def with_incoming(line: str, *, incoming: bool) -> str:
    """The frame of a line with `incoming` put in, without encoding it anew."""
    place = line.index(_PAYLOAD)
    return f'{line[:place]},"incoming":{"true" if incoming else "false"}{line[place:]}'


def message_in(line: bytes) -> Envelope:
    """The message that a line holds; WireError or ValueError when it holds none."""
    return envelope.decode(line.decode())
