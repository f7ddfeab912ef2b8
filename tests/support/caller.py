"""One caller of a crowd, who does at random what a caller may do and checks each frame against the protocol."""

import asyncio
from collections import Counter
from random import Random
from typing import Any

from tests.support.tab import LOST, Closed, Frame, strictly
from tests.support.wire import Wire

ANSWER_WITHIN = 20.0
"""Generous: a thousand of them share the machine with the servers."""


class Caller:
    """A caller, and their state as of the last answer: waiting (`seeking`), in a call (`peer`, `role`), or neither.

    They do one thing after the other, and after each wait until everything before it has been answered.
    """

    def __init__(self, user: str, rng: Random, complaints: list[str]) -> None:
        self.user, self.rng = user, rng
        self.url = self.peer = self.role = ""
        self.seeking = self.given_up = False
        self.counts: Counter[str] = Counter()
        self._complaints = complaints
        self._wire: Wire | None = None
        self._reader: asyncio.Task[None] | None = None
        self._asking = self._leaving = False
        self._crossed = ""
        self._fence = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether the socket is open."""
        return self._wire is not None

    @property
    def alone(self) -> bool:
        """Connected, and neither in a call nor waiting."""
        return self.connected and not self.peer and not self.seeking

    # What the caller does

    async def comes(self, url: str) -> None:
        """Connect. The caller then neither waits nor is in a call, as far as they know."""
        self.url, self.peer, self.role, self.seeking = url, "", "", False
        wire = self._wire = await Wire(url, self.user, path="/ws/matchmaking").__aenter__()
        self._reader = asyncio.create_task(self._read(wire))

    async def goes(self) -> None:
        """Close the socket cleanly."""
        wire = self._lets_go()
        await wire.closes()

    async def is_cut_off(self) -> None:
        """Cut the connection without a close frame."""
        self._lets_go().drops()

    async def is_off(self) -> None:
        """Return when the caller has noticed that the connection is lost."""
        if self._reader is not None:
            await asyncio.wait([self._reader])

    async def asks(self) -> None:
        await self._does("request_random_peer", seeking=True)

    async def skips(self) -> None:
        self._leaving = True
        await self._does("request_random_peer", seeking=True, payload={"currentPeerId": self.peer})

    async def becomes_available(self) -> None:
        self._leaving = bool(self.peer)
        await self._does("user_available_webrtc", seeking=True)
        if self.peer:
            # Nothing answers that message. A role assigned before it is over, and one assigned after it is not.
            await self.asks()

    async def withdraws(self) -> None:
        await self._does("user_unavailable_webrtc", seeking=False)

    async def hangs_up(self) -> None:
        self._leaving = True
        await self._does("hangup", seeking=False, toUser=self.peer)

    async def resumes(self, url: str) -> None:
        """Come back at once, by way of another server, and find the call as it was."""
        before = (self.peer, self.role)
        await self.comes(url)
        await self.asks()
        if before[0] and (self.peer, self.role) != before:
            self._complain(f"resumed {(self.peer, self.role)} instead of {before}")

    async def acts(self, urls: list[str]) -> None:
        """Do something that a caller in this state might do."""
        deeds = {self.asks: 3, self.becomes_available: 1}
        if self.peer:
            deeds |= {self.skips: 4, self.hangs_up: 4}
        elif self.seeking:
            deeds |= {self.withdraws: 1}
        comings = {self.goes: 1, self.is_cut_off: 1}
        (deed,) = self.rng.choices([*deeds, *comings], [*deeds.values(), *comings.values()])
        self.counts[deed.__name__] += 1
        await deed()
        if not self.connected:
            self.given_up = self.rng.random() < 0.05
            if not self.given_up:
                await self.comes(self.rng.choice(urls))
                await self.asks()

    async def _does(self, kind: str, *, seeking: bool, **fields: Any) -> None:
        assert self._wire is not None
        self._asking, self.seeking, self._crossed = True, seeking, ""
        self._fence.clear()
        await self._wire.sends(kind, **fields)
        await self._wire.sends("fence", messageId="fence")
        try:
            await asyncio.wait_for(self._fence.wait(), ANSWER_WITHIN)
        except TimeoutError:
            self._complain(f"no answer to {kind}")
        if self._leaving:
            self.peer, self._leaving = "", False
        self._asking = False

    def _lets_go(self) -> Wire:
        assert self._wire is not None
        wire, self._wire = self._wire, None
        self.peer, self.seeking = "", False
        return wire

    # What the caller hears

    async def _read(self, wire: Wire) -> None:
        try:
            while True:
                frame = strictly(await wire.hears_text())
                if wire is self._wire:
                    await self._hears(frame)
        except Closed as closed:
            if wire is self._wire:
                self._wire = None
                self._fence.set()
                if closed.code != LOST:
                    self._complain(f"closed with {closed.code}")

    async def _hears(self, frame: Frame) -> None:
        kind, sender, payload = frame["type"], frame.get("fromUser"), frame.get("payload", {})
        if kind == "assign_role":
            await self._is_assigned(payload["role"], payload["peerId"])
        elif kind == "no_peer_available":
            self.peer, self._leaving = "", False
        elif kind == "error":
            self._is_refused(payload)
        elif sender != self.peer:
            if kind != "hangup" or sender != self._crossed:
                self._complain(f"{kind} from {sender}, in a call with {self.peer or 'nobody'}")
            self._crossed = ""
        elif kind == "hangup":
            self.counts[payload.get("reason", "hangup")] += 1
            self.peer, self._leaving = "", False
        elif kind != {"impolite": "webrtc_answer", "polite": "webrtc_offer"}[self.role]:
            self._complain(f"{kind} for the {self.role} one")
        elif kind == "webrtc_offer":
            await self._signals("webrtc_answer")
        else:
            self.counts["answered"] += 1

    async def _is_assigned(self, role: str, peer: str) -> None:
        if peer == self.user:
            self._complain("in a call with themselves")
        if self.peer and not (self._asking or self._leaving) and (peer, role) != (self.peer, self.role):
            self._complain(f"{role} with {peer}, while {self.role} with {self.peer}")
        if peer != self.peer:
            self.counts["assigned"] += 1
        self.peer, self.role, self.seeking, self._leaving = peer, role, False, False
        if role == "impolite":
            await self._signals("webrtc_offer")

    def _is_refused(self, payload: dict[str, Any]) -> None:
        if payload.get("inReplyTo") == "fence":
            self._fence.set()
        elif payload["code"] == "not_matched":
            # The peer was faster in ending the call; the hangup may still be on its way.
            self.counts["crossed"] += 1
            self._crossed = self.peer
        else:
            self._complain(str(payload))

    async def _signals(self, kind: str) -> None:
        assert self._wire is not None
        await self._wire.sends(kind, toUser=self.peer, payload={"type": kind[7:], "sdp": f"from {self.user}"})

    def _complain(self, what: str) -> None:
        self._complaints.append(f"{self.user}: {what}")
