"""A real WebRTC peer that learns of the other one only through a tab's socket."""

import asyncio
import os
from types import TracebackType
from typing import Any, Self

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.sdp import candidate_from_sdp

from tests.support.tab import Frame, Talk, strictly

CONNECTED_WITHIN = 15.0


class Phone:
    """The WebRTC side of a tab that has been assigned a role."""

    def __init__(self, tab: Talk, assigned: dict[str, Any], *, relay_only: bool = False) -> None:
        self.tab, self.role, self.peer = tab, assigned["role"], assigned["peerId"]
        self.candidates: list[str] = []
        """How it told the other it can be reached."""
        configuration = RTCConfiguration(
            iceServers=[RTCIceServer(**server) for server in assigned["iceServers"]],
            bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
            iceTransportPolicy=RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL,
        )
        self._connection = RTCPeerConnection(configuration)
        self._channel: asyncio.Future[RTCDataChannel] = asyncio.get_running_loop().create_future()
        self._heard: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._knows_all = asyncio.Event()
        self._signalling: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._signalling = asyncio.create_task(self._follow_signals())
        if self.role == "impolite":
            self._take(self._connection.createDataChannel("talk"))
            await self._describe()
        else:
            self._connection.on("datachannel", self._take)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._signalling is not None
        if self._signalling.done():
            self._signalling.result()  # what it says is why the rest failed
        if kind is None:
            await asyncio.wait_for(self._knows_all.wait(), CONNECTED_WITHIN)  # so that no signal is left over
        self._signalling.cancel()
        await self._connection.close()

    async def says(self, words: str | bytes) -> None:
        """Send a text over the data channel once it is open."""
        (await asyncio.wait_for(self._channel, CONNECTED_WITHIN)).send(words)

    async def hears(self) -> str | bytes:
        """Return the next text from the data channel."""
        return await asyncio.wait_for(self._heard.get(), CONNECTED_WITHIN)

    def _take(self, channel: RTCDataChannel) -> None:
        channel.on("message", self._heard.put_nowait)
        if channel.readyState == "open":
            self._channel.set_result(channel)
        else:
            channel.on("open", lambda: self._channel.set_result(channel))

    async def converses(self, other: "Phone") -> None:
        """Exchange texts in both directions. The last one is longer than a packet."""
        for one, another in ((self, other), (other, self)):
            for words in ("hello", os.urandom(50_000)):
                await one.says(words)
                assert await another.hears() == words

    async def _follow_signals(self) -> None:
        while True:
            signal = _signal(await self.tab.hears_text(), self.peer)
            if signal["type"] == "webrtc_candidate":
                await self._learn(signal["payload"])
            else:
                await self._connection.setRemoteDescription(RTCSessionDescription(**signal["payload"]))
                if signal["type"] == "webrtc_offer":
                    await self._describe()

    async def _learn(self, payload: dict[str, Any]) -> None:
        if not payload["candidate"]:
            await self._connection.addIceCandidate(None)
            self._knows_all.set()
            return
        candidate = candidate_from_sdp(payload["candidate"].removeprefix("candidate:"))
        candidate.sdpMid, candidate.sdpMLineIndex = payload["sdpMid"], payload["sdpMLineIndex"]
        await self._connection.addIceCandidate(candidate)

    async def _describe(self) -> None:
        """Tell the other: the description first, then one by one how to reach this one, as browsers do."""
        make = self._connection.createOffer if self.role == "impolite" else self._connection.createAnswer
        await self._connection.setLocalDescription(await make())
        description = self._connection.localDescription
        lines = description.sdp.splitlines(keepends=True)
        self.candidates = [line.strip()[2:] for line in lines if line.startswith("a=candidate:")]
        bare = "".join(line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates")))
        payload = {"type": description.type, "sdp": bare}
        await self.tab.sends(f"webrtc_{description.type}", toUser=self.peer, payload=payload)
        for candidate in [*self.candidates, ""]:
            where = {"candidate": candidate, "sdpMid": "0", "sdpMLineIndex": 0}
            await self.tab.sends("webrtc_candidate", toUser=self.peer, payload=where)


def _signal(text: str, peer: str) -> Frame:
    """Return the signal in a frame, which must come from the peer."""
    frame = strictly(text)
    assert frame["fromUser"] == peer, frame
    assert frame["type"] in {"webrtc_offer", "webrtc_answer", "webrtc_candidate"}, frame
    return frame


async def meet(asking: Talk, waiting: Talk, *, relay_only: bool = False) -> tuple[Phone, Phone]:
    """Bring two tabs into a call, and return their phones."""
    await waiting.sends("user_available_webrtc")
    await waiting.asks("fence", "error")
    assigned = await asking.asks("request_random_peer", "assign_role")
    awaited = (await waiting.hears("assign_role"))["payload"]
    return Phone(asking, assigned, relay_only=relay_only), Phone(waiting, awaited, relay_only=relay_only)
