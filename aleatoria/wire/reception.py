"""One frame in: decoded, checked, counted against the limits, handed to its handler; errors become frames here."""

import logging
import math
from collections.abc import Mapping
from time import monotonic
from typing import ClassVar, Protocol

import msgspec
from django.conf import settings

from aleatoria.telemetry import metrics
from aleatoria.telemetry.trace import Trace
from aleatoria.valkey.events import Event
from aleatoria.wire import envelope, names
from aleatoria.wire.dispatch import Handler
from aleatoria.wire.envelope import Envelope
from aleatoria.wire.errors import (
    BAD_REQUEST,
    FLOODING,
    INTERNAL,
    INVALID_FIELD,
    RATE_LIMITED,
    TOO_LARGE,
    UNKNOWN_TYPE,
    MalformedFrame,
    Refused,
)
from aleatoria.wire.limits import OTHER, Flooding, Limits
from aleatoria.wire.output import CUT, Output

logger = logging.getLogger(__name__)

_FRAMES = metrics.Counter("aleatoria_frames_received", "Frames that came in.")
_REFUSALS = metrics.LabelledCounter(
    "aleatoria_refusals", "Requests that were declined, by the code of the error.", "code", (RATE_LIMITED.name,)
)
_MALFORMED = metrics.Counter("aleatoria_malformed_frames", "Frames that are no message of ours.")
_FAILURES = metrics.Counter("aleatoria_handler_failures", "Messages whose handler failed: faults of ours, in the log.")


class Receiver(Protocol):
    """A socket as the reception sees it."""

    user_id: str
    handlers: ClassVar[Mapping[str, Handler]]
    limits: Limits
    output: Output
    trace: Trace

    async def reply(self, message: Envelope) -> None:
        """Send a message to this socket."""


async def receive(socket: Receiver, event: Event) -> None:
    """Answer what a server has received for `socket`. Whatever goes wrong, the client is told and the socket lives on,
    unless its client floods it or sends malformed frames again and again."""
    asked = NOTHING_ASKED
    _FRAMES.count += 1
    socket.trace.receive()
    try:
        asked = _decode(event)
        await _answer(socket, asked)
    except MalformedFrame as error:
        _MALFORMED.count += 1
        await socket.reply(envelope.malformed(error, to_user=socket.user_id))
        if socket.limits.malformed_too_often(monotonic()):
            CUT.by["malformed"] += 1
            await socket.output.close(BAD_REQUEST)
    except Refused as refused:
        _REFUSALS.by[refused.code.name] += 1
        await socket.reply(envelope.refusal(refused, in_reply_to=asked.message_id))
    except Flooding:
        CUT.by["flooding"] += 1
        await socket.output.close(FLOODING)
    except Exception:
        _FAILURES.count += 1
        logger.exception("the handler of a message failed")
        await socket.reply(envelope.refusal(FAILED, in_reply_to=asked.message_id))
    socket.trace.answered()


async def _answer(socket: Receiver, asked: Envelope) -> None:
    handler = socket.handlers.get(asked.type, UNKNOWN)
    if settings.RATE_LIMITS:
        wait = socket.limits.wait(handler.rate, monotonic())
        if wait:
            raise Refused(RATE_LIMITED, f"That was too fast. Try again in {math.ceil(wait)} s.", retry_after=wait)
    await handler.call(socket, envelope.stamp(_checked(asked), socket.user_id))


def _decode(event: Event) -> Envelope:
    """The envelope in what the server received; MalformedFrame when there is none."""
    text = event.get("text")
    size = len(text.encode(errors="surrogatepass")) if text is not None else len(event["bytes"])
    if size > settings.MAX_MESSAGE_BYTES:
        raise MalformedFrame(f"The frame is larger than {settings.MAX_MESSAGE_BYTES} bytes.", code=TOO_LARGE)
    if text is None:
        raise MalformedFrame("The frame is binary or not UTF-8. Send JSON as text.")
    return envelope.decode(text)


def _checked(asked: Envelope) -> Envelope:
    """The same with its room normalised; Refused when a field is not of the protocol's grammar."""
    if len(asked.message_id) > envelope.MAX_MESSAGE_ID:
        raise Refused(INVALID_FIELD, f"`messageId` can have up to {envelope.MAX_MESSAGE_ID} characters.")
    if asked.to_user and not names.is_user_id(asked.to_user):
        raise Refused(INVALID_FIELD, "`toUser` isn't a valid user ID.")
    if not asked.room:
        return asked
    try:
        room = names.room_name(asked.room)
    except ValueError as error:
        raise Refused(INVALID_FIELD, str(error)) from None
    return asked if room == asked.room else msgspec.structs.replace(asked, room=room)


async def _refuse_unknown(socket: Receiver, message: Envelope) -> None:
    raise Refused(UNKNOWN_TYPE, "This type of message isn't supported here.")


UNKNOWN = Handler(_refuse_unknown, OTHER)
NOTHING_ASKED = Envelope()
FAILED = Refused(INTERNAL, "Something went wrong on our end. Try again in a moment.")
