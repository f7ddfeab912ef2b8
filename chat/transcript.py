"""Stored lines decoded for operators who ask to read messages."""

from datetime import datetime

import msgspec

from aleatoria.wire.errors import WireError
from chat.payloads import Content
from chat.store.line import message_in


class Spoken(msgspec.Struct, frozen=True):
    """A message: who wrote it, when, and its text."""

    at: datetime | None
    user: str
    content: str


def spoken(line: bytes) -> Spoken:
    """Decode a stored line. A broken line gives a message that says so."""
    try:
        message = message_in(line)
        content = message.payload_as(Content).content
        return Spoken(datetime.fromisoformat(message.create_time), message.from_user, content)
    except (WireError, ValueError):
        return Spoken(None, "", "(broken line: run `manage.py audit`)")
