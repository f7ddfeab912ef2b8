"""What people said, read back from kept lines: for those who run the server and deliberately ask for it."""

from datetime import datetime

import msgspec

from aleatoria.wire.errors import WireError
from chat.payloads import Content
from chat.store.line import message_in


class Spoken(msgspec.Struct, frozen=True):
    """Who said what, and when."""

    at: datetime | None
    user: str
    content: str


def spoken(line: bytes) -> Spoken:
    """The message in a kept line; one that is broken says so."""
    try:
        message = message_in(line)
        content = message.payload_as(Content).content
        return Spoken(datetime.fromisoformat(message.create_time), message.from_user, content)
    except (WireError, ValueError):
        return Spoken(None, "", "(this line is broken: `manage.py audit` says how)")
