"""How a client talks to a contender: our wire protocol, or socket.io's."""

import asyncio
import json
from collections.abc import Callable, Mapping

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

Fields = Mapping[str, object]


class Socket(WSListener):
    """One socket that speaks our wire protocol; the other dialects differ in what is overridden."""

    def __init__(self) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.hear: Callable[[bytes], None] = _ignore
        """What is done with each frame that comes in."""
        self.is_lost = False

    @staticmethod
    def url(port: int, user: str, room: str, path: str) -> str:
        """Where a user connects, who wants to be in a room."""
        return f"ws://127.0.0.1:{port}{path}?userId={user}&room={room}"

    @staticmethod
    def encoded(kind: str, fields: Fields) -> bytes:
        """A message as a frame."""
        return json.dumps({"type": kind, **fields}).encode()

    def say(self, frame: bytes) -> None:
        """Send a frame."""
        self.transport.send(WSMsgType.TEXT, frame)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self.ready.set_result(None)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.hear(frame.get_payload_as_bytes())

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.is_lost = True


class SocketIo(Socket):
    """Engine.IO 4 over the websocket, and socket.io 5 on top: packets begin with their type in one or two digits."""

    @staticmethod
    def url(port: int, user: str, room: str, path: str) -> str:
        return f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket&userId={user}&room={room}"

    @staticmethod
    def encoded(kind: str, fields: Fields) -> bytes:
        return b"42" + json.dumps([kind, fields]).encode()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        packet = frame.get_payload_as_bytes()
        if packet.startswith(b"42"):  # an event
            self.hear(packet)
        elif packet.startswith(b"0"):  # open; join the default namespace
            self.say(b"40")
        elif packet.startswith(b"40"):  # joined
            self.ready.set_result(None)
        elif packet == b"2":  # ping
            self.say(b"3")


DIALECTS: dict[str, type[Socket]] = {"wire": Socket, "socketio": SocketIo}


async def opened(dialect: type[Socket], url: str) -> Socket:
    """A socket, when it may be used."""
    _, listener = await ws_connect(dialect, url, websocket_handshake_timeout=60)
    assert isinstance(listener, Socket)
    await listener.ready
    return listener


def _ignore(payload: bytes) -> None:
    pass
