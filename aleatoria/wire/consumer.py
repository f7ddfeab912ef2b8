"""What every socket of ours does: who it is, one frame in, two ways out.

    reply    to this socket
    a group  of the channel layer, to all sockets in it: a room, a user (groups.py)

A consumer adds handlers by marking them; marks of several consumers add up, so that
`class SocketConsumer(ChatConsumer, MatchmakingConsumer)` speaks both.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Any, ClassVar

import msgspec
from channels.consumer import AsyncConsumer
from channels.layers import get_channel_layer
from django.conf import settings

from aleatoria.operators import totals
from aleatoria.telemetry import metrics, trace
from aleatoria.valkey.channel import Event
from aleatoria.valkey.layer import FRAME, ChannelLayer
from aleatoria.valkey.link import valkey
from aleatoria.wire import envelope, identity, names, origins
from aleatoria.wire.dispatch import Handler, handles, hears, marked
from aleatoria.wire.envelope import Envelope, MalformedFrame, Refused
from aleatoria.wire.limits import Flooding, Limits

logger = logging.getLogger(__name__)

BAD_REQUEST, UNIDENTIFIED, BANNED, SLOW_READER, FLOODING = 4400, 4401, 4403, 4408, 4429
NO_CODE, LOST = 1005, 1006
WRITER = "aleatoria.writer"
"""The ASGI extension of a server that takes the text of a frame at once, without a coroutine, as ours do. It says
whether it has: one that has not wants it sent as usual, which may have to wait."""
_CONNECTIONS = metrics.LabelledCounter(
    "aleatoria_connections",
    "Sockets that were opened, or refused and why.",
    "outcome",
    ("opened", "origin", "unidentified", "bad_request"),
)
_FRAMES = metrics.Counter("aleatoria_frames_received", "Frames that came in.")
_REFUSALS = metrics.LabelledCounter(
    "aleatoria_refusals", "Requests that were declined, by the code of the error.", "code", ("rate_limited",)
)
_MALFORMED = metrics.Counter("aleatoria_malformed_frames", "Frames that are no message of ours.")
_FAILURES = metrics.Counter("aleatoria_handler_failures", "Messages whose handler failed: faults of ours, in the log.")
CUT = metrics.LabelledCounter(
    "aleatoria_sockets_cut",
    "Sockets that the server closed, and why.",
    "reason",
    ("slow_reader", "flooding", "malformed", "banned"),
)
OPEN = asyncio.Event()
"""What all sockets that are open share."""
OPEN.set()
ENTER_WITHIN = 0.4
"""Seconds a connect waits for Valkey; what is not done by then goes on behind it."""
CUT_OFF_WITHIN = 5.0


class Rejected(Exception):
    """A connection that is accepted only to be closed with a code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Hello(msgspec.Struct):
    """The payload of `hello`."""

    events: list[str] | None = None


class EnvelopeConsumer(AsyncConsumer):  # type: ignore[misc] # Channels has no annotations
    """One socket of one user."""

    handlers: ClassVar[dict[str, Handler]] = {}
    listeners: ClassVar[dict[str, Callable[[Any, Event], Awaitable[None]]]] = {}
    connected: ClassVar[set["EnvelopeConsumer"]] = set()
    """All open sockets of this process."""

    def __init_subclass__(cls) -> None:
        cls.handlers = marked(cls, "_handles")
        cls.listeners = marked(cls, "_hears")

    def __init__(self) -> None:
        self.user_id = ""
        self.query: dict[str, str] = {}
        self.events: frozenset[str] = frozenset()
        """What a client asked for in its `hello`."""
        self._limits = Limits()
        self._ready = asyncio.Event()
        self._write: Callable[[str], bool] | None = None
        """What the server has for finished frames, if it has such a thing."""
        self._closing = self._is_cut = False
        self._code = 0
        """With which this side has closed it, if it has."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._life: asyncio.Task[Any] | None = None
        self.trace = trace.Trace()

    # One connection

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Event]], send: Any) -> None:
        """The life of a socket. Ours, not Channels': no second task a frame, no database call a message."""
        self.scope, self.base_send = scope, send
        trace.current.set(self.trace)
        self.channel_layer: ChannelLayer = get_channel_layer()
        await receive()
        if await self._is_let_in():
            await self._live(receive)

    async def _is_let_in(self) -> bool:
        """Whether it may live; if not, it has been told."""
        headers = identity.headers_of(self.scope)
        try:
            if not self._origin_is_allowed(headers):
                _CONNECTIONS.by["origin"] += 1
                logger.info("a page of %s may not connect", headers.get("origin", "no origin"))
                await self.base_send({"type": "websocket.close"})  # before accepting: HTTP 403
                return False
            await self._identify(headers)
            self.check_query()
        except Rejected as rejected:
            _CONNECTIONS.by["unidentified" if rejected.code == UNIDENTIFIED else "bad_request"] += 1
            logger.info("a connection was refused with %d", rejected.code)
            await self._accept()
            await self.close(rejected.code)
            return False
        return True

    async def _live(self, receive: Callable[[], Awaitable[Event]]) -> None:
        code, opened = LOST, monotonic()
        self._life = asyncio.current_task()
        self.channel_name = await self.channel_layer.new_channel()
        self.channel_layer.attach(self.channel_name, self._deliver, self._read_too_slowly)
        try:
            await valkey.start()
            await self._within(ENTER_WITHIN, self.enter())
            await self._accept()
            self._open()
            self.connected.add(self)
            _CONNECTIONS.by["opened"] += 1
            logger.info("%s is connected", self.user_id)
            while not self._closing:
                event = await receive()
                if event["type"] == "websocket.disconnect":
                    # daphne says None where a browser has closed without giving a code, which is 1005.
                    code = event.get("code") or NO_CODE
                    break
                await self._receive(event)
        except asyncio.CancelledError:
            if not self._is_cut:  # by ourselves, which is no fault
                raise
        finally:
            self.connected.discard(self)
            logger.info(
                "%s is disconnected, code %d, after %.1f s", self.user_id, self._code or code, monotonic() - opened
            )
            await self._end(self._code or code)

    def _open(self) -> None:
        self._ready.set()
        self._ready = OPEN  # an Event takes 700 bytes
        self._write = self.scope.get("extensions", {}).get(WRITER)
        if self._write is not None:
            self.channel_layer.attach_writer(self.channel_name, self._write)

    async def _end(self, code: int) -> None:
        for task in list(self._tasks):
            task.cancel()
        await self.channel_layer.close_channel(self.channel_name)
        await self.leave(code)

    def check_query(self) -> None:
        """Rejected when the query asks for what cannot be."""

    def own_groups(self) -> list[str]:
        """The groups this socket is in from its first moment; each consumer adds what is its own."""
        return []

    async def enter(self) -> None:
        """What belongs to this socket before it is open. May go on after it: frames wait, events wait."""
        await self.channel_layer.join_groups(self.channel_name, *self.own_groups())

    async def leave(self, code: int) -> None:
        """What ends with this socket; `code` is how it was closed, LOST when it was lost."""

    async def opened(self) -> None:
        """Returns when frames may be sent."""
        await self._ready.wait()

    async def _accept(self) -> None:
        offered = self.scope.get("subprotocols", ())
        protocol = identity.PROTOCOL if identity.PROTOCOL in offered else None
        await self.base_send({"type": "websocket.accept", "subprotocol": protocol})

    async def close(self, code: int) -> None:
        """Close this socket; frames that are still coming in are not answered."""
        if not self._closing:
            self._closing, self._code = True, code
            await self.base_send({"type": "websocket.close", "code": code})

    @hears("socket.close")
    async def closed_by_operator(self, event: Event) -> None:
        """Those who run the server want this user to go."""
        self._cut(BANNED, "banned")

    def spawn(self, work: Awaitable[None]) -> "asyncio.Task[None]":
        """Do it beside the frames; it ends with the socket at the latest."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._spawned)
        return task

    def _spawned(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a task of a socket failed", exc_info=task.exception())

    async def _within(self, seconds: float, work: Awaitable[None]) -> None:
        await asyncio.wait([self.spawn(work)], timeout=seconds)

    # Who

    def _origin_is_allowed(self, headers: dict[str, str]) -> bool:
        if "origin" not in headers:
            return settings.TRUST_USER_ID or identity.bearer_token(self.scope, headers) is not None
        return origins.is_allowed(
            headers["origin"],
            host=headers.get("host", ""),
            allowed=settings.ALLOWED_ORIGINS,
            hosts=settings.ALLOWED_HOSTS,
        )

    async def _identify(self, headers: dict[str, str]) -> None:
        try:
            self.query = identity.query_of(self.scope)
            self.user_id = await identity.identify(self.scope, headers, self.query)
        except identity.Unidentified:
            raise Rejected(UNIDENTIFIED) from None
        except (identity.InvalidUserId, UnicodeDecodeError):
            raise Rejected(BAD_REQUEST) from None

    # In

    async def _receive(self, event: Event) -> None:
        asked = NOTHING_ASKED
        _FRAMES.count += 1
        self.trace.receive()
        try:
            asked = _decode(event)
            await self._answer(asked)
        except MalformedFrame as error:
            _MALFORMED.count += 1
            await self.reply(envelope.malformed(error, to_user=self.user_id))
            if self._limits.malformed_too_often(monotonic()):
                CUT.by["malformed"] += 1
                await self.close(BAD_REQUEST)
        except Refused as refused:
            _REFUSALS.by[refused.code] += 1
            await self.reply(envelope.refusal(refused, in_reply_to=asked.message_id))
        except Flooding:
            CUT.by["flooding"] += 1
            await self.close(FLOODING)
        except Exception:
            _FAILURES.count += 1
            logger.exception("the handler of a message failed")
            await self.reply(envelope.refusal(INTERNAL, in_reply_to=asked.message_id))
        self.trace.answered()

    async def _answer(self, asked: Envelope) -> None:
        handler = self.handlers.get(asked.type, UNKNOWN)
        if settings.RATE_LIMITS:
            wait = self._limits.wait(handler.rate, monotonic())
            if wait:
                raise Refused("rate_limited", f"That was too fast. Try again in {wait:g} s.", retry_after=wait)
        await handler.call(self, envelope.stamp(_checked(asked), self.user_id))

    @handles("hello")
    async def hello(self, message: Envelope) -> None:
        """Who you are and what holds here; from now on also the events you asked for."""
        before, self.events = self.events, frozenset(message.payload_as(Hello).events or ())
        await self.attend(before)
        await self.reply(envelope.from_system("welcome", self.welcome()))

    async def attend(self, before: frozenset[str]) -> None:
        """What is done when a client has asked for events; `before` are those it had asked for until now."""

    def welcome(self) -> dict[str, object]:
        """What `welcome` says; each consumer adds what is its own."""
        return {
            "userId": self.user_id,
            "rooms": [],
            "limits": {"messageBytes": settings.MAX_MESSAGE_BYTES, "rooms": settings.MAX_ROOMS_PER_USER},
            "iceServers": [],
            "degraded": valkey.health.degraded,
            "version": settings.VERSION,
        }

    async def _deliver(self, event: Event) -> None:
        """What the layer brings: finished frames go out, everything else to its listener.

        An event of which it says that it is `by` this socket is for the others of its group.
        """
        if event.get("by") == self.channel_name:
            return
        if not self._ready.is_set():
            await self._ready.wait()
        if event["type"] == FRAME:
            await self.send_text(event["text"])
        else:
            await self.listeners[event["type"]](self, event)

    # Out

    async def reply(self, message: Envelope) -> None:
        """Say it to this socket."""
        if not self._closing:
            await self.send_text(envelope.encode(message))

    async def send_text(self, text: str) -> None:
        """Put a finished frame on this socket."""
        if self._write is None or not self._write(text):
            await self.base_send({"type": FRAME, "text": text})

    def _read_too_slowly(self) -> None:
        self._cut(SLOW_READER, "slow_reader")

    def _cut(self, code: int, reason: str) -> None:
        if not (self._closing or self._is_cut):
            self._is_cut = True
            CUT.by[reason] += 1
            self.spawn(self._cut_off(code))

    async def _cut_off(self, code: int) -> None:
        # Where `send` waits for a peer that does not read, so does a close.
        with suppress(TimeoutError):
            await asyncio.wait_for(self.close(code), CUT_OFF_WITHIN)
        if self._life is not None:
            self._life.cancel()


def _decode(event: Event) -> Envelope:
    """The envelope in what the server received; MalformedFrame when there is none."""
    text = event.get("text")
    size = len(text.encode(errors="surrogatepass")) if text is not None else len(event["bytes"])
    if size > settings.MAX_MESSAGE_BYTES:
        raise MalformedFrame(f"larger than {settings.MAX_MESSAGE_BYTES} bytes", code="too_large")
    if text is None:
        raise MalformedFrame("a binary frame, or one that is not UTF-8: send JSON as text")
    return envelope.decode(text)


def _checked(asked: Envelope) -> Envelope:
    """The same with its room normalised; Refused when a field is not of the protocol's grammar."""
    if len(asked.message_id) > envelope.MAX_MESSAGE_ID:
        raise Refused("invalid_field", f"`messageId` has at most {envelope.MAX_MESSAGE_ID} characters.")
    if asked.to_user and not names.is_user_id(asked.to_user):
        raise Refused("invalid_field", "`toUser` is not a user id.")
    if not asked.room:
        return asked
    try:
        room = names.room_name(asked.room)
    except ValueError as error:
        raise Refused("invalid_field", str(error)) from None
    return asked if room == asked.room else msgspec.structs.replace(asked, room=room)


async def _refuse_unknown(consumer: EnvelopeConsumer, message: Envelope) -> None:
    raise Refused("unknown_type", "This socket knows no such type of message. docs/protocol.md lists them.")


def _say_status(payload: dict[str, bool]) -> None:
    """Tell those who asked for it that an outage began or ended."""
    for consumer in EnvelopeConsumer.connected:
        if "status" in consumer.events:
            consumer.spawn(consumer.reply(envelope.from_system("server_status", payload)))


async def _say_it_is_over() -> None:
    _say_status({"degraded": False, "gap": True})


UNKNOWN = Handler(_refuse_unknown, "other")
NOTHING_ASKED = Envelope()
INTERNAL = Refused("internal", "Something went wrong on our side. Try again in a moment.")
valkey.health.on_lost.append(lambda: _say_status({"degraded": True}))
valkey.health.on_back.append(_say_it_is_over)


def _users() -> int:
    return len({socket.user_id for socket in EnvelopeConsumer.connected})


def _sockets() -> int:
    return len(EnvelopeConsumer.connected)


metrics.Gauge("aleatoria_sockets", "Open sockets.", _sockets)
metrics.Gauge("aleatoria_users", "Users with an open socket.", _users)
totals.report("sockets", _sockets)
totals.report("users", _users)
totals.count("connections", lambda: _CONNECTIONS.by["opened"])
