"""daphne, drained and bounded.

Stock daphne drops sockets without a word on SIGTERM, buffers without bound towards a slow reader and from a fast
sender, and closes a socket over one large frame. This subclass answers each: docs/decisions/0003-server.md.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from autobahn.twisted import websocket as autobahn_twisted
from autobahn.websocket import protocol as autobahn_protocol
from daphne.server import Server as DaphneServer  # installs the reactor, so it comes before what imports that
from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings
from twisted.internet import defer, reactor

from aleatoria.servers.frames import frame_of, whole_text
from aleatoria.servers.inbox import Inbox
from aleatoria.servers.outbox import CLOSE_HANDSHAKE, FAREWELL_DEADLINE, Outbox
from aleatoria.wire.consumer import CUT, SLOW_READER, WRITER

SERVICE_RESTART = 1012
# autobahn writes out all its options, and colours names, for log lines that nobody keeps: a fifth of a connection.
for _module in (autobahn_protocol, autobahn_twisted):
    for _shown in ("pformat", "hltype", "hlval"):
        setattr(_module, _shown, lambda *_, **__: "")
ANSWER_DEADLINE, LEAVE_DEADLINE = 3.0, 2.0
"""Seconds for the application, when the server stops: to answer what has come in, then to leave its sockets."""
WRITE_BACKLOG = 1024 * 1024
"""Bytes that may wait for one slow reader."""
PING_EVERY, PONG_WITHIN = 10, 12
"""Seconds. A silent loss is noticed within 24; with the 30 in which one may come back that is within 60."""


class DaphneSocket(WebSocketProtocol):  # type: ignore[misc] # daphne has no annotations
    """One WebSocket, bounded in both directions."""

    _received = 0
    """Bytes of the message that is coming in."""

    def connectionMade(self) -> None:
        super().connectionMade()
        self._outbox = Outbox(self._write)

    def serverSend(self, content: str, binary: bool = False) -> bool:
        """As daphne's; it always takes it, or has no use for it."""
        if self.state != self.STATE_OPEN:
            return True
        transport, outbox = self.transport, self._outbox
        # There is no public way to ask Twisted how much has not been sent yet; requirements.txt pins it.
        backlog = len(transport.dataBuffer) - transport.offset + transport._tempDataLen + outbox.size
        if backlog > WRITE_BACKLOG:
            CUT.by["slow_reader"] += 1
            self.serverClose(SLOW_READER)
        else:
            outbox.put(frame_of(content))
        return True

    def _write(self, data: bytes) -> None:
        # Twisted registers a socket with the poller, waits for it and takes it out again, for each write. One that
        # reads what it gets takes it at once; only what it does not take goes the long way.
        transport = self.transport
        sent = 0
        if transport.connected and not (transport.disconnecting or transport._tempDataBuffer or transport.dataBuffer):
            try:
                sent = transport.socket.send(data)
            except OSError:
                sent = 0  # full for now, or gone: Twisted finds out which
        if sent < len(data):
            transport.write(data[sent:])

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        # What autobahn says itself, a ping or a close, stands behind what has been said before.
        self._outbox.flush()
        super().sendData(data, sync, chopsize)

    def dataReceived(self, data: bytes) -> None:
        # autobahn takes fifteen calls for a frame. Most are a whole text, and nothing has begun before them.
        start = 0
        if self.state == self.STATE_OPEN and not (self.data or self.current_frame or self.inside_message):
            while (found := whole_text(data, start)) is not None:
                payload, start = found
                if self.autoPingTimeoutCall:
                    self._cancelAutoPingTimeoutCall()
                self.onMessage(payload, isBinary=False)
        if start < len(data):
            # Past a line for a log that nobody keeps.
            self._dataReceived(data[start:])

    def onMessageBegin(self, isBinary: bool) -> None:
        super().onMessageBegin(isBinary)
        self._received = 0

    def onMessageFrameData(self, payload: bytes) -> None:
        # A little more than the limit is kept, so that the application sees that it is too much.
        if self._received <= settings.MAX_MESSAGE_BYTES:
            super().onMessageFrameData(payload)
        self._received += len(payload)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        try:
            super().onMessage(payload, isBinary)
        except UnicodeDecodeError:
            super().onMessage(payload, isBinary=True)

    def failHandshake(self, reason: str, code: int = 400, responseHeaders: Any = None) -> None:
        # autobahn meets an origin that is none before the application does, which would deny it like any other.
        super().failHandshake(reason, 403 if "Origin header" in reason else code, responseHeaders)

    def say_goodbye(self) -> None:
        """Close because the server restarts; daphne's own close knows no 1012."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=SERVICE_RESTART)


class DrainingServer(DaphneServer):  # type: ignore[misc]
    """daphne for sockets that are bounded, and that are told when the server goes.

    `on_listening` is called with the port. When the server stops, `on_answered` is awaited once all that has come in is
    answered, `on_drained` once the application has left its sockets.
    """

    def __init__(
        self,
        *args: Any,
        on_listening: Callable[[int], None],
        on_answered: Callable[[], Awaitable[None]],
        on_drained: Callable[[], Awaitable[None]],
        **kwargs: Any,
    ) -> None:
        pings = {"ping_interval": PING_EVERY, "ping_timeout": PONG_WITHIN}
        super().__init__(*args, ready_callable=self._prepare, websocket_timeout=-1, **pings, **kwargs)
        self._on_listening = on_listening
        self._on_answered = on_answered
        self._on_drained = on_drained
        self.refusal = ""
        """Why it cannot listen."""
        self._ports: list[Any] = []

    def _prepare(self) -> None:
        self.ws_factory.protocol = DaphneSocket
        self.ws_factory.setProtocolOptions(
            # Ours, above: these would close the socket, and limit what is sent as well.
            maxMessagePayloadSize=0,
            maxFramePayloadSize=0,
            # Python's decoder finds the same errors, at once.
            utf8validateIncoming=False,
            allowNullOrigin=True,  # the application denies it, with 403
            closeHandshakeTimeout=CLOSE_HANDSHAKE,
        )

    def listen_error(self, failure: Any) -> None:
        # Not logged: whoever runs this tells, once.
        self.refusal = failure.getErrorMessage()
        self.stop()

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        self._ports.append(port)
        # Not before SIGTERM is handled: whoever hears that it listens may stop it at once.
        reactor.callWhenRunning(self._on_listening, port.getHost().port)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Inbox | None:
        """As daphne's, with an inbox that is bounded."""
        if protocol not in self.connections:
            return None
        inbox = Inbox(protocol.transport.pauseProducing, protocol.transport.resumeProducing)
        if isinstance(protocol, DaphneSocket):
            protocol.transport.unregisterProducer()  # the HTTP request that it was
            protocol.transport.registerProducer(inbox, True)
            scope.setdefault("extensions", {})[WRITER] = protocol.serverSend
        scope.setdefault("asgi", {"version": "3.0"})
        life = self.application(scope=scope, receive=inbox.get, send=partial(self.handle_reply, protocol))
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(life)
        return inbox

    def kill_all_applications(self) -> Any:
        """What daphne calls before it stops: finish what has come in, say goodbye, go."""
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._drain()))

    async def _drain(self) -> None:
        for port in self._ports:
            port.stopListening()
        sockets = [protocol for protocol in self.connections if isinstance(protocol, DaphneSocket)]
        lives = self._lives()
        open_ones = [socket for socket in sockets if socket.state == socket.STATE_OPEN and socket in lives]
        for socket in open_ones:
            socket.muted = True  # nothing more is taken in
        await _all(*(socket.application_queue.join() for socket in open_ones), within=ANSWER_DEADLINE)
        await self._on_answered()
        for socket in open_ones:
            socket.application_queue.put_nowait({"type": "websocket.disconnect", "code": SERVICE_RESTART})
        await _all(*self._lives().values(), within=LEAVE_DEADLINE)
        for socket in sockets:
            socket.say_goodbye()
        await self._on_drained()
        loop = asyncio.get_running_loop()
        await _all(*(socket.is_closed.asFuture(loop) for socket in sockets), within=FAREWELL_DEADLINE)

    def _lives(self) -> dict[Any, "asyncio.Future[None]"]:
        """What the application is doing, by connection."""
        key = "application_instance"
        found = {protocol: details[key] for protocol, details in self.connections.items() if key in details}
        return {protocol: life for protocol, life in found.items() if not life.done()}


async def _all(*awaitables: Awaitable[Any], within: float) -> None:
    """Wait for all of them, but no longer than so many seconds; what is not done by then is cancelled."""
    if awaitables:
        for late in (await asyncio.wait([asyncio.ensure_future(one) for one in awaitables], timeout=within))[1]:
            late.cancel()
