"""The one shape every frame has, in and out (protocol §2). Camel case exists here only.

WireError
├── MalformedFrame   what came is no envelope: answered with `error_response`
└── Refused          a well-formed request we decline: answered with `error`
"""

import builtins
import re
from random import getrandbits
from typing import Any, TypeVar
from uuid import uuid4

import msgspec

from aleatoria.wire import clock
from aleatoria.wire.names import SYSTEM

Payload = TypeVar("Payload")

NOTHING = msgspec.Raw()
MAX_DEPTH = 32
MAX_MESSAGE_ID = 64
# Beyond this JavaScript reads Infinity.
_LARGEST_NUMBER = 10**308
_MANY_DIGITS = re.compile(r"\d{300}")


class WireError(Exception):
    """Something a client sent that we do not do; its text is for a person, its code for a program."""

    code = "malformed"


class MalformedFrame(WireError):
    """A frame that is no envelope."""

    def __init__(self, text: str, code: str = "malformed") -> None:
        super().__init__(text)
        self.code = code


class Refused(WireError):
    """A well-formed request we decline. Its text is shown to the sender."""

    def __init__(self, code: str, text: str, *, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.retry_after = retry_after


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """One message. Empty fields are left out on the wire.

    `create_time` stands before `payload`, so that in a stored line its first occurrence is ours, not the client's.
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
        """The payload in the given shape; Refused when its fields have other types."""
        try:
            return msgspec.json.decode(self.payload or b"{}", type=shape)
        except msgspec.ValidationError as error:
            raise Refused("invalid_field", f"The payload does not fit: {error}") from error


_envelope = msgspec.json.Decoder(Envelope)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_anything = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()


def decode(text: str) -> Envelope:
    """The envelope a frame holds; MalformedFrame when it holds none. `null` fields count as left out."""
    try:
        # `Raw` alone lets 1e999 and lone surrogates through: everything is read once in full.
        tree = _anything.decode(text)
        _refuse_extremes(tree, text)
        try:
            message = _envelope.decode(text)
        except msgspec.ValidationError:
            message = _decode_without_nulls(text)
    except RecursionError:
        raise MalformedFrame(f"nesting deeper than {MAX_DEPTH}") from None
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise MalformedFrame(str(error)) from None
    if not message.type:
        raise MalformedFrame("`type` is missing")
    return _with_payload_checked(message, tree)


def _with_payload_checked(message: Envelope, tree: dict[str, Any]) -> Envelope:
    payload = tree.get("payload")
    if isinstance(payload, dict):
        return message
    if payload is None:
        return msgspec.structs.replace(message, payload=NOTHING)
    raise MalformedFrame("`payload` is not an object")


def _decode_without_nulls(text: str) -> Envelope:
    fields = {name: value for name, value in _fields.decode(text).items() if bytes(value) != b"null"}
    return _envelope.decode(_encoder.encode(fields))


def _refuse_extremes(tree: object, text: str) -> None:
    """Walk the tree only where the text could hold deep nesting or a huge number at all."""
    if text.count("{") + text.count("[") > MAX_DEPTH or _MANY_DIGITS.search(text):
        _walk(tree, 1)


def _walk(node: object, depth: int) -> None:
    if isinstance(node, dict | list):
        if depth > MAX_DEPTH:
            raise MalformedFrame(f"nesting deeper than {MAX_DEPTH}")
        for child in node.values() if isinstance(node, dict) else node:
            _walk(child, depth + 1)
    elif isinstance(node, int) and abs(node) > _LARGEST_NUMBER:
        raise MalformedFrame("a number is out of range")


def encode(message: Envelope) -> str:
    """The frame for `message`: strict JSON."""
    return _encoder.encode(message).decode()


def raw(payload: object) -> msgspec.Raw:
    """A payload of our own making, ready for an envelope."""
    return msgspec.Raw(_encoder.encode(payload))


def stamp(message: Envelope, user: str) -> Envelope:
    """What a client sent with the fields that are ours to set: who and when."""
    return msgspec.structs.replace(
        message,
        from_user=user,
        create_time=clock.text(clock.now()),
        incoming=None,
    )


def identified(message: Envelope) -> Envelope:
    """The same, with an id if the client has given none."""
    return message if message.message_id else msgspec.structs.replace(message, message_id=_new_id())


def _new_id() -> str:
    """A UUID of version 4. It need not be secret, only nobody else's: so not uuid4, which takes five times as long."""
    digits = f"{getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def from_system(kind: str, payload: object, *, room: str = "", to_user: str = "") -> Envelope:
    """A message of the server's own; `payload` is an object to encode or `Raw`."""
    return Envelope(
        type=kind,
        from_user=SYSTEM,
        to_user=to_user,
        room=room,
        create_time=clock.text(clock.now()),
        payload=payload if isinstance(payload, msgspec.Raw) else raw(payload),
    )


def refusal(error: Refused, *, in_reply_to: str) -> Envelope:
    """The `error` for a well-formed request that is declined."""
    payload: dict[str, object] = {"error": str(error), "code": error.code}
    if 0 < len(in_reply_to) <= MAX_MESSAGE_ID:
        payload["inReplyTo"] = in_reply_to
    if error.retry_after is not None:
        payload["retryAfter"] = error.retry_after
    return from_system("error", payload)


def malformed(error: MalformedFrame, *, to_user: str) -> Envelope:
    """The `error_response` for a frame that is no envelope."""
    return Envelope(
        type="error_response",
        to_user=to_user,
        message_id=f"err-{uuid4()}",
        create_time=clock.text(clock.now()),
        payload=raw({"error": "Invalid message structure", "details": str(error), "code": error.code}),
    )
