"""The one shape that every frame has, in both directions. Camel case exists in this module only."""

import builtins
import re
from random import getrandbits
from typing import Any, TypeVar
from uuid import uuid4

import msgspec

from aleatoria.wire import clock
from aleatoria.wire.errors import INVALID_FIELD, MalformedFrame, Refused
from aleatoria.wire.names import SYSTEM

Payload = TypeVar("Payload")

NOTHING = msgspec.Raw()
MAX_DEPTH = 32
MAX_MESSAGE_ID = 64
# JavaScript reads larger numbers as Infinity.
_LARGEST_NUMBER = 10**308
_MANY_DIGITS = re.compile(r"\d{300}")


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """One message. Empty fields are left out on the wire.

    `create_time` stands before `payload`, so that in a stored line the first occurrence of `createTime` is the server's
    and not one in the client's payload.
    """

    type: str = ""
    from_user: str = ""
    to_user: str = ""
    room: str = ""
    message_id: str = ""
    create_time: str = ""
    incoming: bool | None = None
    payload: msgspec.Raw = NOTHING

    def payload_as(self, shape: builtins.type[Payload]) -> Payload:
        """Return the payload in the given shape. Raises Refused when its fields have other types."""
        try:
            return msgspec.json.decode(self.payload or b"{}", type=shape)
        except msgspec.ValidationError as error:
            raise Refused(INVALID_FIELD, f"Invalid payload: {error}") from error


_envelope = msgspec.json.Decoder(Envelope)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_anything = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()


def decode(text: str) -> Envelope:
    """Return the envelope that a frame holds. Raises MalformedFrame when it holds none.

    A field that is `null` counts as left out.
    """
    try:
        # Decoding into `Raw` accepts 1e999 and lone surrogates, so the whole frame is decoded once as well.
        tree = _anything.decode(text)
        _refuse_extremes(tree, text)
        try:
            message = _envelope.decode(text)
        except msgspec.ValidationError:
            message = _decode_without_nulls(text)
    except RecursionError:
        raise MalformedFrame(f"The frame is nested deeper than {MAX_DEPTH} levels.") from None
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise MalformedFrame(str(error)) from None
    if not message.type:
        raise MalformedFrame("`type` is missing.")
    return _with_payload_checked(message, tree)


def _with_payload_checked(message: Envelope, tree: dict[str, Any]) -> Envelope:
    payload = tree.get("payload")
    if isinstance(payload, dict):
        return message
    if payload is None:
        return msgspec.structs.replace(message, payload=NOTHING)
    raise MalformedFrame("`payload` isn't an object.")


def _decode_without_nulls(text: str) -> Envelope:
    fields = {name: value for name, value in _fields.decode(text).items() if bytes(value) != b"null"}
    return _envelope.decode(_encoder.encode(fields))


def _refuse_extremes(tree: object, text: str) -> None:
    """Raise MalformedFrame for deep nesting or a huge number. Walks the tree only if the text could hold either."""
    if text.count("{") + text.count("[") > MAX_DEPTH or _MANY_DIGITS.search(text):
        _walk(tree, 1)


def _walk(node: object, depth: int) -> None:
    if isinstance(node, dict | list):
        if depth > MAX_DEPTH:
            raise MalformedFrame(f"The frame is nested deeper than {MAX_DEPTH} levels.")
        for child in node.values() if isinstance(node, dict) else node:
            _walk(child, depth + 1)
    elif isinstance(node, int) and abs(node) > _LARGEST_NUMBER:
        raise MalformedFrame("A number is out of range.")


def encode(message: Envelope) -> str:
    """Return the frame for `message`, as strict JSON."""
    return _encoder.encode(message).decode()


def raw(payload: object) -> msgspec.Raw:
    """Return an object of the server's, encoded as the payload of an envelope."""
    return msgspec.Raw(_encoder.encode(payload))


def stamp(message: Envelope, user: str) -> Envelope:
    """Return a client's message with the fields that only the server sets: its sender and its time."""
    return msgspec.structs.replace(
        message,
        from_user=user,
        create_time=clock.text(clock.now()),
        incoming=None,
    )


def identified(message: Envelope) -> Envelope:
    """Return the message with an id of its own, unless the client has given it one."""
    return message if message.message_id else msgspec.structs.replace(message, message_id=_new_id())


def _new_id() -> str:
    """Return a UUID of version 4 that is unique but not secret. `uuid4` is secret and takes five times as long."""
    digits = f"{getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def from_system(kind: str, payload: object, *, room: str = "", to_user: str = "") -> Envelope:
    """Return a message from the server itself. `payload` is an object to encode, or `Raw`."""
    return Envelope(
        type=kind,
        from_user=SYSTEM,
        to_user=to_user,
        room=room,
        create_time=clock.text(clock.now()),
        payload=payload if isinstance(payload, msgspec.Raw) else raw(payload),
    )


def refusal(error: Refused, *, in_reply_to: str) -> Envelope:
    """Return the `error` that answers a well-formed request which the server declines."""
    payload: dict[str, object] = {"error": str(error), "code": error.code.name}
    if 0 < len(in_reply_to) <= MAX_MESSAGE_ID:
        payload["inReplyTo"] = in_reply_to
    if error.retry_after is not None:
        payload["retryAfter"] = error.retry_after
    return from_system("error", payload)


def malformed(error: MalformedFrame, *, to_user: str) -> Envelope:
    """Return the `error_response` that answers a frame which holds no envelope."""
    return Envelope(
        type="error_response",
        to_user=to_user,
        message_id=f"err-{uuid4()}",
        create_time=clock.text(clock.now()),
        payload=raw({"error": "Invalid message structure", "details": str(error), "code": error.code.name}),
    )
