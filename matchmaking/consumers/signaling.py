"""Signaling on a socket: offers, answers, candidates and hangups between the two users of a call."""

from django.conf import settings

from aleatoria.telemetry import metrics
from aleatoria.valkey.events import Event
from aleatoria.wire import envelope, groups
from aleatoria.wire.dispatch import handles, hears
from aleatoria.wire.envelope import Envelope
from aleatoria.wire.errors import Refused
from matchmaking import payloads, rates
from matchmaking.callers import note_hangup
from matchmaking.consumers.side import SideConsumer
from matchmaking.errors import NOT_MATCHED

_SIGNALS = metrics.Counter("aleatoria_signals", "Offers, answers and candidates passed on between the users of a call.")


class SignalingConsumer(SideConsumer):
    """One socket of a user, as far as it passes signals."""

    @handles("webrtc_offer", "webrtc_answer", rate=rates.DESCRIPTION)
    async def describe(self, message: Envelope) -> None:
        payloads.check_description(message)
        await self._signal(message)

    @handles("webrtc_candidate", rate=rates.CANDIDATE)
    async def suggest(self, message: Envelope) -> None:
        payloads.check_candidate(message)
        await self._signal(message)

    @handles("hangup")
    async def hang_up(self, message: Envelope) -> None:
        peer, message = payloads.peer_of(message), envelope.identified(message)
        async with self.turn:
            at = await self.calls.end(user=self.user_id, peer=peer)
            if not at:
                await self._signal_openly(message)
                return
            if self.holds:
                self.stand(at)
            else:
                await self.callers.tell_holder(self.user_id, "call.ended", peer=peer, frame="", at=at)
            frame = envelope.encode(message)
            await self.callers.tell_holder(peer, "call.ended", peer=self.user_id, frame=frame, at=at)
            note_hangup(peer, self.user_id, "hangup")

    async def _signal(self, message: Envelope) -> None:
        message = envelope.identified(message)
        if await self.calls.are_in_a_call(user=self.user_id, peer=payloads.peer_of(message)):
            _SIGNALS.count += 1
            frame = envelope.encode(message)
            await self.callers.tell_holder(message.to_user, "call.signal", peer=self.user_id, frame=frame)
        else:
            await self._signal_openly(message)

    async def _signal_openly(self, message: Envelope) -> None:
        """Signal to a user who is not in a call with this one, where the settings allow it."""
        if not settings.SIGNALING_IS_OPEN:
            raise Refused(NOT_MATCHED, "You're not in a call with this person.")
        await self.broadcast(groups.call_sockets(message.to_user), message)

    @hears("call.signal")
    async def signalled(self, event: Event) -> None:
        """A signal has arrived. One of the last call's peer, which comes late, is dropped."""
        async with self.turn:
            if event["peer"] == self.peer:
                await self.output.send_text(event["frame"])
