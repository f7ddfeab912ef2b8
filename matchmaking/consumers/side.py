"""A user's side of a random call on a socket: which socket holds it, and what it knows of the call.

One socket of a user holds their side: the one that asked or made itself available last. What concerns the call comes to
it as events with the moment of the store's step, by which late events of the last call are recognized and dropped.
"""

import asyncio
import time

from aleatoria.telemetry import metrics
from aleatoria.valkey.events import Event
from aleatoria.wire import groups
from aleatoria.wire.consumer import EnvelopeConsumer
from aleatoria.wire.dispatch import hears
from aleatoria.wire.errors import BANNED, GOING_AWAY, NO_CODE, NORMAL
from aleatoria.wire.host import Host
from matchmaking import ice, payloads, services
from matchmaking.callers import Callers, call_id
from matchmaking.services import Ended
from matchmaking.store.pool import Parted, Standing

CLEAN_CLOSES = frozenset(code.number for code in (NORMAL, GOING_AWAY, NO_CODE))
"""The close codes with which a client leaves on purpose. With any other one the connection was lost."""
_WAITS = metrics.Histogram(
    "aleatoria_match_wait_seconds",
    "Seconds that users waited in the pool until they were chosen. Users who are paired at once are not counted.",
    services.WAITS,
    total="waits",
)


class SideConsumer(EnvelopeConsumer):
    """One socket of a user, as far as it may hold their side."""

    def __init__(self, *, host: Host, callers: Callers, **others: object) -> None:
        super().__init__(host=host, **others)
        self.callers = callers
        self.calls = callers.calls
        self.waiting = False
        self.peer = ""
        self.role = ""
        self._since = 0
        """The moment of the step that led to this; events of earlier moments are dropped."""
        self._waits_since = 0.0
        # Events of the call and requests of its user take turns: frames go out in the order of the store's steps.
        self.turn = asyncio.Lock()

    def own_groups(self) -> list[str]:
        return [*super().own_groups(), groups.call_sockets(self.user_id)]

    def welcome(self) -> dict[str, object]:
        return super().welcome() | {"iceServers": ice.servers_for(self.user_id)}

    async def leave(self, code: int) -> None:
        await super().leave(code)
        held, since = self._let_go(), time.time()
        # A user whose sockets are all being closed by an operator has no other that counts.
        if code == BANNED.number or (code in CLEAN_CLOSES and not await self._is_elsewhere()):
            # While this process looked for other sockets, the user may have asked for a peer on a new one.
            await self.tell_parted(await self.calls.quit_all(user=self.user_id, since=since), "disconnected")
        elif held:
            await self.calls.hold(user=self.user_id)

    async def _is_elsewhere(self) -> bool:
        return await self.layer.has_members(groups.call_sockets(self.user_id))

    # Holding

    @property
    def holds(self) -> bool:
        """Whether this is the socket that holds the user's side."""
        return self.callers.holders.get(self.user_id) is self

    @property
    def standing(self) -> Standing:
        """What the user is doing, as far as this socket knows."""
        return Standing(self.user_id, self.peer, self.role, gone=not (self.waiting or self.peer))

    async def hold(self) -> None:
        """Be the socket that holds the user's side."""
        if self.holds:
            return
        await self.callers.tell_holder(self.user_id, "call.moved", by=self.channel_name)
        self.callers.holders[self.user_id] = self
        await self.layer.group_add(groups.call_holder(self.user_id), self.channel_name)

    def _let_go(self) -> bool:
        """Hold the side no more; whether this socket did."""
        self.stand(self._since)
        if not self.holds:
            return False
        del self.callers.holders[self.user_id]
        return True

    def stand(self, since: int, *, waiting: bool = False, peer: str = "", role: str = "") -> None:
        """Note what the user is doing since a moment: waiting, in a call with `peer`, or neither."""
        if waiting and not self.waiting:
            self._waits_since = time.monotonic()
        self._since, self.waiting, self.peer, self.role = since, waiting, peer, role
        self.trace.call = call_id(self.user_id, peer) if peer else ""

    async def tell_parted(self, parted: Parted, reason: str) -> None:
        """Tell the peer, if there was one, that this user is out of the call."""
        if parted.peer:
            await self.callers.tell_end(Ended(parted.peer, self.user_id, parted.at), reason)

    # What happens to the side

    @hears("call.assigned")
    async def assigned(self, event: Event) -> None:
        """Somebody asked and got this user."""
        async with self.turn:
            if event["at"] > self._since:
                if self.waiting:
                    _WAITS.observe(time.monotonic() - self._waits_since)
                self.stand(event["at"], peer=event["peer"], role="polite")
                await self.reply(payloads.assign_role("polite", event["peer"], to=self.user_id))

    @hears("call.ended")
    async def ended(self, event: Event) -> None:
        """The call is over; `frame` says so, unless this user knows."""
        async with self.turn:
            if event["peer"] == self.peer and event["at"] > self._since:
                self.stand(event["at"])
                await self.calls.hear_of_end(user=self.user_id, peer=event["peer"])
                if event["frame"]:
                    await self.output.send_text(event["frame"])

    @hears("call.withdrawn")
    async def withdrawn(self, event: Event) -> None:
        """Another socket of this user wants them to wait no longer."""
        async with self.turn:
            if event["at"] > self._since:
                self.waiting = False

    @hears("call.moved")
    async def moved(self, event: Event) -> None:
        """Another socket of this user holds their side from now on."""
        self._let_go()
        await self.layer.group_discard(groups.call_holder(self.user_id), self.channel_name)
