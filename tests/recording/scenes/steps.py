"""Frames and steps that several scenes share."""

from tests.recording.client import Client
from tests.recording.stage import Stage

OFFER = '{"type": "webrtc_offer", "toUser": "%s", "payload": {"type": "offer", "sdp": "v=0\\r\\n..."}}'
ANSWER = '{"type": "webrtc_answer", "toUser": "%s", "payload": {"type": "answer", "sdp": "v=0\\r\\n..."}}'
CANDIDATE = (
    '{"type": "webrtc_candidate", "toUser": "%s", "payload": {"candidate": "candidate:1 1 udp 2122260223 192.0.2.1 '
    '54321 typ host", "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "4Zcd"}}'
)
AVAILABLE, UNAVAILABLE = '{"type": "user_available_webrtc"}', '{"type": "user_unavailable_webrtc"}'
REQUEST = '{"type": "request_random_peer"}'


async def meet(asking: Client, waiting: Client) -> None:
    """Bring two clients together of whom nobody waits yet."""
    await waiting.sends(AVAILABLE)
    await asking.sends(REQUEST)


async def goodbye(*clients: Client) -> None:
    """Close these connections."""
    for client in clients:
        await client.closes()


async def guest(stage: Stage, name: str, *, path: str = "/ws", room: str = "") -> Client:
    """Connect to the strict server as a new guest."""
    token = await stage.strict.opens_session(name)
    query = f"room={room}" if room else ""
    return await stage.strict.enters(name, path=path, query=query, headers={"Authorization": f"Bearer {token}"})
