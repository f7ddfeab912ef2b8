"""What matchmaking's messages carry: the shapes that are read, and those that are made."""

import msgspec

from aleatoria.wire import envelope
from aleatoria.wire.envelope import Envelope
from aleatoria.wire.errors import INVALID_FIELD, TOO_LARGE, Refused
from matchmaking import ice

SDP_MAX, CANDIDATE_MAX = 32 * 1024, 4 * 1024


class PeerRequest(msgspec.Struct, rename="camel"):
    """Whom he skips, if anybody."""

    current_peer_id: str | None = None


class Description(msgspec.Struct):
    """An offer or answer; its `type` is passed on untouched."""

    sdp: str = ""


class Candidate(msgspec.Struct):
    """A way to reach a peer; what else the payload holds is passed on untouched."""

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
    """He is in a call with `peer`; the impolite one makes the offer."""
    payload = {"role": role, "peerId": peer, "iceServers": ice.servers_for(to)}
    return envelope.from_system("assign_role", payload, to_user=to)


def no_peer_available(*, to: str) -> Envelope:
    """Nobody who could be chosen waits; he waits now."""
    text = "Nobody else is waiting right now. You will be connected as soon as somebody comes."
    return envelope.from_system("no_peer_available", {"message": text}, to_user=to)


def hangup(peer: str, reason: str, *, to: str) -> Envelope:
    """The call with `peer` is over, and not because he said so."""
    hangup = Envelope(type="hangup", to_user=to, payload=envelope.raw({"reason": reason}))
    return envelope.identified(envelope.stamp(hangup, peer))
