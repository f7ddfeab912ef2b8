"""The payloads of matchmaking's messages: what clients send, checked, and what the server sends."""

import msgspec

from aleatoria.wire import envelope
from aleatoria.wire.envelope import Envelope
from aleatoria.wire.errors import INVALID_FIELD, TOO_LARGE, Refused
from matchmaking import ice

SDP_MAX, CANDIDATE_MAX = 32 * 1024, 4 * 1024


class PeerRequest(msgspec.Struct, rename="camel"):
    """The payload of `request_random_peer`: the peer that the user skips, if any."""

    current_peer_id: str | None = None


class Description(msgspec.Struct):
    """The payload of an offer or answer. Other fields are passed on unread."""

    sdp: str = ""


class Candidate(msgspec.Struct):
    """The payload of a candidate. Other fields are passed on unread."""

    candidate: msgspec.Raw = envelope.NOTHING


def peer_of(message: Envelope) -> str:
    """The peer a message names; Refused when it names none."""
    if not message.to_user:
        raise Refused(INVALID_FIELD, "`toUser` is missing.")
    return message.to_user


def check_description(message: Envelope) -> None:
    """Refused when the SDP is too large."""
    if len(message.payload_as(Description).sdp.encode()) > SDP_MAX:
        raise Refused(TOO_LARGE, f"`sdp` can have up to {SDP_MAX} bytes.")


def check_candidate(message: Envelope) -> None:
    """Refused when the candidate is too large."""
    quotes = 2
    if len(bytes(message.payload_as(Candidate).candidate)) > CANDIDATE_MAX + quotes:
        raise Refused(TOO_LARGE, f"`candidate` can have up to {CANDIDATE_MAX} bytes.")


def assign_role(role: str, peer: str, *, to: str) -> Envelope:
    """The message that tells a user that they are in a call with `peer`. The impolite side makes the offer."""
    payload = {"role": role, "peerId": peer, "iceServers": ice.servers_for(to)}
    return envelope.from_system("assign_role", payload, to_user=to)


def no_peer_available(*, to: str) -> Envelope:
    """The message that tells a user that nobody else waits, and that they wait now."""
    text = "Nobody else is waiting right now. You will be connected as soon as somebody comes."
    return envelope.from_system("no_peer_available", {"message": text}, to_user=to)


def hangup(peer: str, reason: str, *, to: str) -> Envelope:
    """The hangup that the server sends in the name of `peer`, who has not sent one."""
    hangup = Envelope(type="hangup", to_user=to, payload=envelope.raw({"reason": reason}))
    return envelope.identified(envelope.stamp(hangup, peer))
