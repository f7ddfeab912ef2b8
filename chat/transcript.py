"""What people said, read back from kept lines: for those who run the server and deliberately ask for it."""

from datetime import datetime

import msgspec

from aleatoria.wire import envelope
from aleatoria.wire.errors import WireError
from chat.payloads import Content


class Spoken(msgspec.Struct, frozen=True):
    """Who said what, and when."""

    at: datetime | None
    user: str
    content: str


def spoken(line: bytes) -> Spoken:
    """The message in a kept line; one that is broken says so."""
    try:
        message = envelope.decode(line.decode())
        content = message.payload_as(Content).content
        return Spoken(datetime.fromisoformat(message.create_time), message.from_user, content)
    except (WireError, ValueError):
        return Spoken(None, "", "(this line is broken: `manage.py audit` says how)")
