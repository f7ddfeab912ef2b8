"""What people said, read from kept lines, for operators who ask for it on purpose."""

from datetime import datetime

import msgspec

from aleatoria.wire.envelope import WireError
from chat.payloads import Content
from chat.store.line import message_in


class Spoken(msgspec.Struct, frozen=True):
    """A message as an operator sees it: who said what, and when."""

    at: datetime | None
    user: str
    content: str


def spoken(line: bytes) -> Spoken:
    """The message in a kept line. Of a broken line, the content says that it is broken."""
    try:
        message = message_in(line)
        content = message.payload_as(Content).content
        return Spoken(datetime.fromisoformat(message.create_time), message.from_user, content)
    except (WireError, ValueError):
        return Spoken(None, "", "(this line is broken: `manage.py audit` says how)")
