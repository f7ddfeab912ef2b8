"""Random calls on a socket: the pool, the roles, and the signalling between the two (protocol §4).

One socket of a user holds his side: the one that asked or made itself available last. What concerns the call comes to
it as events with the moment of the store's step, so that what comes late from the last call is told from this one.
"""

import asyncio
import logging
import time
from hashlib import blake2b
from typing import ClassVar

from channels.layers import get_channel_layer
from django.conf import settings

from aleatoria.operators import totals
from aleatoria.telemetry import metrics
from aleatoria.valkey.channel import Event
from aleatoria.valkey.link import valkey
from aleatoria.wire import envelope, groups
from aleatoria.wire.consumer import BANNED, NO_CODE, EnvelopeConsumer
from aleatoria.wire.dispatch import handles, hears
from aleatoria.wire.envelope import Envelope, Refused
from matchmaking import ice, payloads, services
from matchmaking.services import Ended
from matchmaking.store.pool import Parted, Standing

logger = logging.getLogger(__name__)

RENEW_EVERY, SWEEP_EVERY = settings.CALL_LEASE.total_seconds() / 3, 1.0
CLEAN_CLOSES = frozenset([1000, 1001, NO_CODE])
"""Closed on purpose. All others are connections that are lost."""
_MATCHES = metrics.Counter("aleatoria_matches", "Pairs of strangers that were made; the process of who asked counts.")
_WAITS = metrics.Histogram(
    "aleatoria_match_wait_seconds",
    "How long users waited in the pool who were then chosen; those who found somebody at once did not wait.",
    services.WAITS,
)
_SIGNALS = metrics.Counter("aleatoria_signals", "Offers, answers and candidates passed between the two of a call.")
_HANGUPS = metrics.LabelledCounter(
    "aleatoria_hangups",
    "Users who were told that their call is over, by what the other one did.",
    "reason",
    ("hangup", "skipped", "disconnected", "timeout"),
)


class MatchmakingConsumer(EnvelopeConsumer):
    """One socket of a user who may wait for a call, or be in one."""

    holders: ClassVar[dict[str, "MatchmakingConsumer"]] = {}
    """By user, the sockets of this process that hold a side."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = False
        self.peer = ""
        self.role = ""
        self._since = 0
        """The moment of the step that led to this; what is told of earlier ones is old news."""
        self._waits_since = 0.0
        # What happens to a call and what its user asks for take turns: answers go out in the order of the truth.
        self._turn = asyncio.Lock()

    # Coming and going

    def own_groups(self) -> list[str]:
        return [*super().own_groups(), groups.tabs(self.user_id)]

    async def leave(self, code: int) -> None:
        await super().leave(code)
        held, since = self._let_go(), time.time()
        # One whose sockets are all being closed by those who run the server has no other that counts.
        if code == BANNED or (code in CLEAN_CLOSES and not await self._is_elsewhere()):
            # Looking for his other sockets has taken a moment, in which he may have asked on a new one.
            await self._tell_parted(await services.quit_all(user=self.user_id, since=since), "disconnected")
        elif held:
            await services.hold(user=self.user_id)

    async def _is_elsewhere(self) -> bool:
        return await self.channel_layer.has_members(groups.tabs(self.user_id))

    def welcome(self) -> dict[str, object]:
        return super().welcome() | {"iceServers": ice.servers_for(self.user_id)}

    @property
    def holds(self) -> bool:
        """Whether this is the socket that holds this user's side."""
        return self.holders.get(self.user_id) is self

    @property
    def standing(self) -> Standing:
        """What the user is doing, as far as this socket knows."""
        return Standing(self.user_id, self.peer, self.role, gone=not (self.waiting or self.peer))

    # The pool

    @handles("user_available_webrtc")
    async def be_available(self, message: Envelope) -> None:
        async with self._turn:
            await self._hold()
            parted = await services.offer(user=self.user_id)
            self._stand(parted.at, waiting=True)
            await self._tell_parted(parted, "skipped")

    @handles("user_unavailable_webrtc")
    async def be_unavailable(self, message: Envelope) -> None:
        async with self._turn:
            at = await services.withdraw(user=self.user_id)
            self.waiting = False
            if not self.holds:
                await self._happens(self.user_id, "call.withdrawn", at=at)

    @handles("request_random_peer", rate="request")
    async def request_random_peer(self, message: Envelope) -> None:
        skipping = message.payload_as(payloads.PeerRequest).current_peer_id or ""
        async with self._turn:
            await self._hold()
            outcome = await services.request(user=self.user_id, skipping=skipping)
            await self._tell_parted(Parted(outcome.freed, outcome.at), "skipped")
            if not outcome.peer:
                self._stand(outcome.at, waiting=True)
                await self.reply(payloads.no_peer_available(to=self.user_id))
                return
            self._stand(outcome.at, peer=outcome.peer, role=outcome.role)
            await self.reply(payloads.assign_role(outcome.role, outcome.peer, to=self.user_id))
            if outcome.fresh:
                _MATCHES.count += 1
                logger.info("%s is in a call with %s", self.user_id, outcome.peer)
                await self._happens(outcome.peer, "call.assigned", peer=self.user_id, at=outcome.at)

    @handles("assign_role", "no_peer_available")
    async def refuse(self, message: Envelope) -> None:
        raise Refused("forbidden", "Only the server says that.")

    # Signalling

    @handles("webrtc_offer", "webrtc_answer", rate="description")
    async def describe(self, message: Envelope) -> None:
        payloads.check_description(message)
        await self._signal(message)

    @handles("webrtc_candidate", rate="candidate")
    async def suggest(self, message: Envelope) -> None:
        payloads.check_candidate(message)
        await self._signal(message)

    @handles("hangup")
    async def hang_up(self, message: Envelope) -> None:
        peer, message = _peer_of(message), envelope.identified(message)
        async with self._turn:
            at = await services.end(user=self.user_id, peer=peer)
            if not at:
                await self._signal_openly(message)
                return
            if self.holds:
                self._stand(at)
            else:
                await self._happens(self.user_id, "call.ended", peer=peer, frame="", at=at)
            await self._happens(peer, "call.ended", peer=self.user_id, frame=envelope.encode(message), at=at)
            _note_hangup(peer, self.user_id, "hangup")

    async def _signal(self, message: Envelope) -> None:
        message = envelope.identified(message)
        if await services.are_in_a_call(user=self.user_id, peer=_peer_of(message)):
            _SIGNALS.count += 1
            await self._happens(message.to_user, "call.signal", peer=self.user_id, frame=envelope.encode(message))
        else:
            await self._signal_openly(message)

    async def _signal_openly(self, message: Envelope) -> None:
        """Where the settings allow it, to whom one is not in a call with."""
        if not settings.SIGNALING_IS_OPEN:
            raise Refused("not_matched", "You are not in a call with that user.")
        event = {"type": "websocket.send", "text": envelope.encode(message)}
        await self.channel_layer.group_send(groups.tabs(message.to_user), event)

    # What comes to the socket that holds a side

    @hears("call.assigned")
    async def assigned(self, event: Event) -> None:
        """Somebody asked and got this user."""
        async with self._turn:
            if event["at"] > self._since:
                if self.waiting:
                    _WAITS.observe(time.monotonic() - self._waits_since)
                self._stand(event["at"], peer=event["peer"], role="polite")
                await self.reply(payloads.assign_role("polite", event["peer"], to=self.user_id))

    @hears("call.signal")
    async def signalled(self, event: Event) -> None:
        """The peer of this call, or late the one of the last, signals."""
        async with self._turn:
            if event["peer"] == self.peer:
                await self.send_text(event["frame"])

    @hears("call.ended")
    async def ended(self, event: Event) -> None:
        """The call is over; `frame` says so, unless this user knows."""
        async with self._turn:
            if event["peer"] == self.peer and event["at"] > self._since:
                self._stand(event["at"])
                await services.hear_of_end(user=self.user_id, peer=event["peer"])
                if event["frame"]:
                    await self.send_text(event["frame"])

    @hears("call.withdrawn")
    async def withdrawn(self, event: Event) -> None:
        """Another socket of this user wants him to wait no longer."""
        async with self._turn:
            if event["at"] > self._since:
                self.waiting = False

    @hears("call.moved")
    async def moved(self, event: Event) -> None:
        """Another socket of this user holds his side from now on."""
        self._let_go()
        await self.channel_layer.group_discard(groups.caller(self.user_id), self.channel_name)

    # Holding

    async def _hold(self) -> None:
        """Be the socket that holds this user's side."""
        if self.holds:
            return
        await self._happens(self.user_id, "call.moved", by=self.channel_name)
        self.holders[self.user_id] = self
        await self.channel_layer.group_add(groups.caller(self.user_id), self.channel_name)

    def _let_go(self) -> bool:
        """Hold it no more; whether this socket did."""
        self._stand(self._since)
        if not self.holds:
            return False
        del self.holders[self.user_id]
        return True

    def _stand(self, since: int, *, waiting: bool = False, peer: str = "", role: str = "") -> None:
        if waiting and not self.waiting:
            self._waits_since = time.monotonic()
        self._since, self.waiting, self.peer, self.role = since, waiting, peer, role
        self.trace.call = _call_of(self.user_id, peer) if peer else ""

    async def _happens(self, user: str, what: str, **details: str | int) -> None:
        """Bring an event to the socket that holds a user's side."""
        await self.channel_layer.group_send(groups.caller(user), {"type": what} | details)

    async def _tell_parted(self, parted: Parted, reason: str) -> None:
        """Tell the other one, if there is one, that this user is out of the call."""
        if parted.peer:
            await _tell(Ended(parted.peer, self.user_id, parted.at), reason)


def _peer_of(message: Envelope) -> str:
    if not message.to_user:
        raise Refused("invalid_field", "Name the peer in `toUser`.")
    return message.to_user


# What a process does for all of its callers


def _call_of(one: str, other: str) -> str:
    """What log lines call the call of the two."""
    return blake2b(" ".join(sorted([one, other])).encode(), digest_size=4).hexdigest()


def _note_hangup(user: str, peer: str, reason: str) -> None:
    _HANGUPS.by[reason] += 1
    call = _call_of(user, peer)
    logger.info("the call of %s with %s is over: %s", user, peer, reason, extra={"call_id": call})


def _standings() -> list[Standing]:
    return [socket.standing for socket in MatchmakingConsumer.holders.values() if not socket.standing.gone]


async def _tell(ended: Ended, reason: str) -> None:
    """Tell one user that his call is over, though the peer has not said so."""
    frame = envelope.encode(payloads.hangup(ended.peer, reason, to=ended.user))
    event = {"type": "call.ended", "peer": ended.peer, "frame": frame, "at": ended.at}
    await get_channel_layer().group_send(groups.caller(ended.user), event)
    _note_hangup(ended.user, ended.peer, reason)


async def _tell_all(ended: list[Ended]) -> None:
    """The calls that are over because one of the two was taken for dead."""
    for one in ended:
        await _tell(one, "timeout")


async def _renew() -> None:
    dead = set(await services.renew(users=[standing.user for standing in _standings()]))
    # Alive all the same: this process stood still for so long that others gave its users up.
    await _tell_all(await services.restore([standing for standing in _standings() if standing.user in dead]))


async def _sweep() -> None:
    await _tell_all(await services.sweep())


async def _write_back() -> None:
    await _tell_all(await services.write_back())


async def _count() -> None:
    _counted[:] = await services.count()


def _count_waits(place: int, bound: str) -> None:
    totals.count(f"waits:{bound}", lambda: _WAITS.counts[place])


for _place, _bound in enumerate([*_WAITS.bounds, "longer"]):
    _count_waits(_place, str(_bound))
totals.count("matches", lambda: _MATCHES.count)
_counted = [0, 0]
metrics.before_scrape.append(_count)
metrics.Gauge("aleatoria_pool_users", "Users who wait in the pool, of all processes.", lambda: _counted[0])
metrics.Gauge("aleatoria_calls", "Random calls that are up, of all processes.", lambda: _counted[1])

valkey.health.on_lost.append(lambda: services.remember(_standings()))
valkey.health.on_back.append(_write_back)
valkey.every(RENEW_EVERY, _renew)
valkey.every(SWEEP_EVERY, _sweep)
