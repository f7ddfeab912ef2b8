"""daphne with bounds on what a connection may hold, and with an orderly end of the server.

Stock daphne drops its connections without a close frame on SIGTERM, has no bound on what it buffers for a slow client
or from a fast one, and closes a connection over one large frame. docs/decisions/0003-server.md says what is done
instead.
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
from aleatoria.servers.outbox import CLOSE_HANDSHAKE, FAREWELL_DEADLINE, Flusher, Outbox
from aleatoria.wire.errors import SERVICE_RESTART, SLOW_READER
from aleatoria.wire.output import CUT, WRITER

ANSWER_DEADLINE, LEAVE_DEADLINE = 3.0, 2.0
"""Seconds the application has, when the server stops, to answer the frames it has received; then to end its sockets."""
WRITE_BACKLOG = 1024 * 1024
"""Bytes that may wait to be sent to one client."""
PING_EVERY, PONG_WITHIN = 10, 12
"""Seconds. A silent loss is noticed within 24. With the 30 in which a caller may come back, that makes less than 60."""


class DaphneSocket(WebSocketProtocol):  # type: ignore[misc] # daphne has no annotations
    """One WebSocket connection, with a bound on what waits in each direction."""

    _received = 0
    """Bytes received so far of the message that is coming in."""

    def connectionMade(self) -> None:
        super().connectionMade()
        self._outbox = Outbox(self.factory.server_class.flusher, self._write)

    # In

    def dataReceived(self, data: bytes) -> None:
        # autobahn makes fifteen calls for a frame, which is a fifth of the cost of a room message. So a whole text
        # between two messages is decoded here. The attributes read for that are autobahn's own; its version is pinned.
        start = 0
        if self.state == self.STATE_OPEN and not (self.data or self.current_frame or self.inside_message):
            while (found := whole_text(data, start)) is not None:
                payload, start = found
                if self.autoPingTimeoutCall:
                    self._cancelAutoPingTimeoutCall()
                self.onMessage(payload, isBinary=False)
        if start < len(data):
            # Not `super().dataReceived`, which only composes a debug line before it calls this.
            self._dataReceived(data[start:])

    def onMessageBegin(self, isBinary: bool) -> None:
        super().onMessageBegin(isBinary)
        self._received = 0

    def onMessageFrameData(self, payload: bytes) -> None:
        # A little more than the limit is kept, so that the application sees that the message is too large.
        if self._received <= settings.MAX_MESSAGE_BYTES:
            super().onMessageFrameData(payload)
        self._received += len(payload)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        try:
            super().onMessage(payload, isBinary)
        except UnicodeDecodeError:
            super().onMessage(payload, isBinary=True)

    # Out

    def serverSend(self, content: str, binary: bool = False) -> bool:
        """Send a text frame at the end of this turn of the event loop.

        Returns True always: a socket that is not open drops the frame, and a client with too much waiting is cut off.
        """
        if self.state != self.STATE_OPEN:
            return True
        # What Twisted has accepted and not sent yet. It offers no public way to ask for this; requirements.txt pins its
        # version. Both methods read it in place, because a function for it costs 3 % of a delivery.
        transport, outbox = self.transport, self._outbox
        if len(transport.dataBuffer) - transport.offset + transport._tempDataLen + outbox.size > WRITE_BACKLOG:
            CUT.by["slow_reader"] += 1
            self.serverClose(SLOW_READER.number)
        else:
            outbox.put(frame_of(content))
        return True

    def _write(self, data: bytes) -> None:
        # For each write, Twisted registers the socket with the poller, waits, writes and unregisters it. A socket whose
        # client keeps up accepts the data at once, so only what it does not accept is left to Twisted.
        transport = self.transport
        sent = 0
        if transport.connected and not (transport.disconnecting or transport._tempDataBuffer or transport.dataBuffer):
            try:
                sent = transport.socket.send(data)
            except OSError:
                sent = 0  # the buffer is full, or the connection is lost: Twisted finds out which
        if sent < len(data):
            transport.write(data[sent:])

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        # autobahn sends its own frames (ping, pong, close) here, behind the frames that were put before them.
        self._outbox.flush()
        super().sendData(data, sync, chopsize)

    def failHandshake(self, reason: str, code: int = 400, responseHeaders: Any = None) -> None:
        # autobahn refuses a malformed origin with 400. The application refuses every other origin with 403.
        super().failHandshake(reason, 403 if "Origin header" in reason else code, responseHeaders)

    def close_for_restart(self) -> None:
        """Send a close frame with code 1012, which daphne's own `serverClose` does not accept."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=SERVICE_RESTART.number)


class DrainingServer(DaphneServer):  # type: ignore[misc]
    """daphne with `DaphneSocket`s, which finishes what it has received before it stops.

    `on_listening` is called with the port. When the server stops, `on_answered` is awaited after the application has
    answered every frame received, and `on_drained` after it has ended its sockets.
    """

    def __init__(
        self,
        *args: Any,
        on_listening: Callable[[int], None],
        on_answered: Callable[[], Awaitable[None]],
        on_drained: Callable[[], Awaitable[None]],
        **kwargs: Any,
    ) -> None:
        _silence_autobahn()
        pings = {"ping_interval": PING_EVERY, "ping_timeout": PONG_WITHIN}
        super().__init__(*args, ready_callable=self._prepare, websocket_timeout=-1, **pings, **kwargs)
        self._on_listening = on_listening
        self._on_answered = on_answered
        self._on_drained = on_drained
        self.flusher = Flusher()
        """Writes the outboxes of this server's sockets."""
        self.refusal = ""
        """The reason why the server cannot listen, if it cannot."""
        self._ports: list[Any] = []

    def _prepare(self) -> None:
        self.ws_factory.protocol = DaphneSocket
        self.ws_factory.setProtocolOptions(
            # DaphneSocket bounds messages. These options would close the socket, and limit what is sent as well.
            maxMessagePayloadSize=0,
            maxFramePayloadSize=0,
            # Python's decoder finds the same errors, and in C.
            utf8validateIncoming=False,
            allowNullOrigin=True,  # the application refuses it, with 403
            closeHandshakeTimeout=CLOSE_HANDSHAKE,
        )

    def listen_error(self, failure: Any) -> None:
        # Not logged here: the caller of `run` reports the refusal, once.
        self.refusal = failure.getErrorMessage()
        self.stop()

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        self._ports.append(port)
        # After SIGTERM is handled: whoever hears that the server listens may stop it at once.
        reactor.callWhenRunning(self._on_listening, port.getHost().port)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Inbox | None:
        """Start the application for one connection, and return its queue of events, which is an `Inbox`."""
        if protocol not in self.connections:
            return None
        inbox = Inbox(protocol.transport.pauseProducing, protocol.transport.resumeProducing)
        if isinstance(protocol, DaphneSocket):
            protocol.transport.unregisterProducer()  # the HTTP request that the connection began as
            protocol.transport.registerProducer(inbox, True)
            scope.setdefault("extensions", {})[WRITER] = protocol.serverSend
        scope.setdefault("asgi", {"version": "3.0"})
        running = self.application(scope=scope, receive=inbox.get, send=partial(self.handle_reply, protocol))
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(running)
        return inbox

    def kill_all_applications(self) -> Any:
        """Drain the server. daphne calls this before it stops, and waits for the Deferred that is returned."""
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._drain()))

    async def _drain(self) -> None:
        for port in self._ports:
            port.stopListening()
        sockets = [protocol for protocol in self.connections if isinstance(protocol, DaphneSocket)]
        running = self._running_applications()
        open_ones = [socket for socket in sockets if socket.state == socket.STATE_OPEN and socket in running]
        for socket in open_ones:
            socket.muted = True  # daphne drops what such a socket receives
        await _all(*(socket.application_queue.join() for socket in open_ones), within=ANSWER_DEADLINE)
        await self._on_answered()
        for socket in open_ones:
            socket.application_queue.put_nowait({"type": "websocket.disconnect", "code": SERVICE_RESTART.number})
        await _all(*self._running_applications().values(), within=LEAVE_DEADLINE)
        for socket in sockets:
            socket.close_for_restart()
        await self._on_drained()
        loop = asyncio.get_running_loop()
        await _all(*(socket.is_closed.asFuture(loop) for socket in sockets), within=FAREWELL_DEADLINE)

    def _running_applications(self) -> dict[Any, "asyncio.Future[None]"]:
        """Return the task of each connection whose application has not ended."""
        key = "application_instance"
        found = {protocol: details[key] for protocol, details in self.connections.items() if key in details}
        return {protocol: task for protocol, task in found.items() if not task.done()}


def _silence_autobahn() -> None:
    """Make autobahn compose empty debug lines in this process.

    It formats its options and colors names before it asks whether the line is logged, which takes a fifth of the time
    of a connection, and it has no setting to turn that off.
    """
    protocol: Any = autobahn_protocol
    twisted: Any = autobahn_twisted
    protocol.pformat = protocol.hltype = protocol.hlval = twisted.hltype = twisted.hlval = _empty


def _empty(*_: object, **__: object) -> str:
    return ""


async def _all(*awaitables: Awaitable[Any], within: float) -> None:
    """Wait until all of `awaitables` are done, at most `within` seconds; cancel those that are not."""
    if awaitables:
        for late in (await asyncio.wait([asyncio.ensure_future(one) for one in awaitables], timeout=within))[1]:
            late.cancel()
