"""What every socket of ours does: who it is, one frame in, three ways out.

    reply      to this socket
    broadcast  to all sockets in a group of the channel layer (groups.py)
    tell       an event to the sockets in a group, each of which decides what to send

A consumer adds handlers by marking them; marks of several consumers add up, so that
`class SocketConsumer(ChatConsumer, MatchmakingConsumer)` speaks both.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from time import monotonic
from typing import Any, ClassVar

import msgspec
from channels.consumer import AsyncConsumer
from django.conf import settings

from aleatoria.telemetry import metrics, trace
from aleatoria.valkey.events import FRAME, Event
from aleatoria.wire import admission, envelope, identity, reception
from aleatoria.wire.admission import ForeignOrigin
from aleatoria.wire.dispatch import Handler, handles, hears, marked
from aleatoria.wire.envelope import Envelope
from aleatoria.wire.errors import BANNED, LOST, NO_CODE, SLOW_READER, UNIDENTIFIED, Rejected
from aleatoria.wire.host import Host
from aleatoria.wire.limits import Limits
from aleatoria.wire.output import WRITER, Output, Send
from aleatoria.wire.tasks import Tasks

logger = logging.getLogger(__name__)

_CONNECTIONS = metrics.LabelledCounter(
    "aleatoria_connections",
    "Sockets that were opened, or refused and why.",
    "outcome",
    ("opened", "origin", "unidentified", "bad_request"),
    totals={"opened": "connections"},
)
ENTER_WITHIN = 0.4
"""Seconds a connect waits for Valkey; what is not done by then goes on behind it."""


class Hello(msgspec.Struct):
    """The payload of `hello`."""

    events: list[str] | None = None


class EnvelopeConsumer(AsyncConsumer):  # type: ignore[misc] # Channels has no annotations
    """One socket of one user."""

    handlers: ClassVar[dict[str, Handler]] = {}
    listeners: ClassVar[dict[str, Callable[[Any, Event], Awaitable[None]]]] = {}

    def __init_subclass__(cls) -> None:
        cls.handlers = marked(cls, "_handles")
        cls.listeners = marked(cls, "_hears")

    def __init__(self, *, host: Host) -> None:
        self.host = host
        self.layer = host.layer
        self.user_id = ""
        self.query: dict[str, str] = {}
        self.events: frozenset[str] = frozenset()
        """What a client asked for in its `hello`."""
        self.tasks = Tasks()
        self.trace = trace.Trace()
        self.limits = Limits()

    # One connection

    async def __call__(self, scope: Mapping[str, Any], receive: Callable[[], Awaitable[Event]], send: Send) -> None:
        """The life of a socket. Ours, not Channels': no second task a frame, no database call a message."""
        self.scope, self.output = scope, Output(send, self.tasks)
        trace.current.set(self.trace)
        await receive()
        try:
            self.user_id, self.query = await admission.admit(scope)
            self.check_query()
        except ForeignOrigin:
            _CONNECTIONS.by["origin"] += 1
            await self.output.deny()
        except Rejected as rejected:
            _CONNECTIONS.by["unidentified" if rejected.code is UNIDENTIFIED else "bad_request"] += 1
            logger.info("a connection was refused with %d", rejected.code.number)
            await self.output.accept(_protocol_of(scope))
            await self.output.close(rejected.code)
        else:
            await self._live(receive)

    async def _live(self, receive: Callable[[], Awaitable[Event]]) -> None:
        code, opened = LOST.number, monotonic()
        self.output.life = asyncio.current_task()
        self.channel_name = await self.layer.new_channel()
        self.layer.attach(self.channel_name, self._deliver, partial(self.output.cut, SLOW_READER, "slow_reader"))
        try:
            await self.host.start()
            await self.tasks.within(ENTER_WITHIN, self.enter())
            await self.output.accept(_protocol_of(self.scope))
            self._open()
            code = await self._receive_all(receive)
        except asyncio.CancelledError:
            if not self.output.is_cut:  # by ourselves, which is no fault
                raise
        finally:
            self.host.sockets.discard(self)
            code = self.output.closed_with or code
            logger.info("%s is disconnected, code %d, after %.1f s", self.user_id, code, monotonic() - opened)
            self.tasks.cancel_all()
            await self.layer.close_channel(self.channel_name)
            await self.leave(code)

    def _open(self) -> None:
        write = self.scope.get("extensions", {}).get(WRITER)
        self.output.open(write)
        if write is not None:
            self.layer.attach_writer(self.channel_name, write)
        self.host.sockets.add(self)
        _CONNECTIONS.by["opened"] += 1
        logger.info("%s is connected", self.user_id)

    async def _receive_all(self, receive: Callable[[], Awaitable[Event]]) -> int:
        """Answer frames until the socket is closed; the client's close code, LOST when this side has closed."""
        while not self.output.closed_with:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                # daphne says None where a browser has closed without giving a code, which is 1005.
                return event.get("code") or NO_CODE.number
            await reception.receive(self, event)
        return LOST.number

    # What each consumer adds to

    def check_query(self) -> None:
        """Rejected when the query asks for what cannot be."""

    def own_groups(self) -> list[str]:
        """The groups this socket is in from its first moment; each consumer adds what is its own."""
        return []

    async def enter(self) -> None:
        """What belongs to this socket before it is open. May go on after it: frames wait, events wait."""
        await self.layer.join_groups(self.channel_name, *self.own_groups())

    async def leave(self, code: int) -> None:
        """What ends with this socket; `code` is how it was closed, that of LOST when it was lost."""

    async def attend(self, before: frozenset[str]) -> None:
        """What is done when a client has asked for events; `before` are those it had asked for until now."""

    def welcome(self) -> dict[str, object]:
        """What `welcome` says; each consumer fills in what is its own."""
        fields: dict[str, object] = {"userId": self.user_id}
        for greeting in self.host.greetings:
            fields |= greeting()
        return fields | {"degraded": self.host.link.health.degraded, "version": settings.VERSION}

    # In

    @handles("hello")
    async def hello(self, message: Envelope) -> None:
        """Who you are and what holds here; from now on also the events you asked for."""
        before, self.events = self.events, frozenset(message.payload_as(Hello).events or ())
        await self.attend(before)
        await self.reply(envelope.from_system("welcome", self.welcome()))

    async def _deliver(self, event: Event) -> None:
        """What the layer brings: finished frames go out, everything else to its listener.

        An event of which it says that it is `by` this socket is for the others of its group.
        """
        if event.get("by") == self.channel_name:
            return
        if not self.output.is_open:
            await self.output.opened()
        if event["type"] == FRAME:
            await self.output.send_text(event["text"])
        else:
            await self.listeners[event["type"]](self, event)

    @hears("socket.close")
    async def closed_by_operator(self, event: Event) -> None:
        """Those who run the server want this user to go."""
        self.output.cut(BANNED, "banned")

    # Out

    async def reply(self, message: Envelope) -> None:
        """Send a message to this socket."""
        if not self.output.closed_with:
            await self.output.send_text(envelope.encode(message))

    async def broadcast(self, group: str, message: Envelope) -> None:
        """Send a message to all sockets in a group, in every process."""
        await self.layer.broadcast(group, envelope.encode(message))

    async def tell(self, group: str, happened: str, **details: object) -> None:
        """Bring an event to all sockets in a group, in every process; their listeners decide what to send."""
        await self.layer.group_send(group, {"type": happened} | details)

    def say_status(self, payload: dict[str, bool]) -> None:
        """Send a `server_status` with this payload, if the client has asked for it."""
        if "status" in self.events:
            self.tasks.spawn(self.reply(envelope.from_system("server_status", payload)))


def _protocol_of(scope: Mapping[str, Any]) -> str | None:
    """The sub-protocol that is agreed on, None when the client offers none of ours."""
    return identity.PROTOCOL if identity.PROTOCOL in scope.get("subprotocols", ()) else None
