"""The pool on a socket: waiting for a random peer, asking for one, going on to the next."""

import logging

from aleatoria.telemetry import metrics
from aleatoria.wire.dispatch import handles
from aleatoria.wire.envelope import Envelope
from aleatoria.wire.errors import FORBIDDEN, Refused
from matchmaking import payloads, rates
from matchmaking.consumers.side import SideConsumer
from matchmaking.store.pool import Parted

logger = logging.getLogger(__name__)

_MATCHES = metrics.Counter(
    "aleatoria_matches", "Pairs of users that were made, counted in the process of the user who asked.", total="matches"
)


class WaitingConsumer(SideConsumer):
    """One socket of a user, as far as they wait or ask for a peer."""

    @handles("user_available_webrtc")
    async def be_available(self, message: Envelope) -> None:
        async with self.turn:
            await self.hold()
            parted = await self.calls.offer(user=self.user_id)
            self.stand(parted.at, waiting=True)
            await self.tell_parted(parted, "skipped")

    @handles("user_unavailable_webrtc")
    async def be_unavailable(self, message: Envelope) -> None:
        async with self.turn:
            at = await self.calls.withdraw(user=self.user_id)
            self.waiting = False
            if not self.holds:
                await self.callers.tell_holder(self.user_id, "call.withdrawn", at=at)

    @handles("request_random_peer", rate=rates.REQUEST)
    async def request_random_peer(self, message: Envelope) -> None:
        skipping = message.payload_as(payloads.PeerRequest).current_peer_id or ""
        async with self.turn:
            await self.hold()
            outcome = await self.calls.request(user=self.user_id, skipping=skipping)
            await self.tell_parted(Parted(outcome.freed, outcome.at), "skipped")
            if not outcome.peer:
                self.stand(outcome.at, waiting=True)
                await self.reply(payloads.no_peer_available(to=self.user_id))
                return
            self.stand(outcome.at, peer=outcome.peer, role=outcome.role)
            await self.reply(payloads.assign_role(outcome.role, outcome.peer, to=self.user_id))
            if outcome.fresh:
                _MATCHES.count += 1
                logger.info("%s is in a call with %s", self.user_id, outcome.peer)
                await self.callers.tell_holder(outcome.peer, "call.assigned", peer=self.user_id, at=outcome.at)

    @handles("assign_role", "no_peer_available")
    async def refuse(self, message: Envelope) -> None:
        raise Refused(FORBIDDEN, "Only the server can send this type of message.")
