"""Runs the script against real servers and returns what was sent and received as lines of text.

A line is one of these:

    # heading
    ana > what ana's connection sends, as it is in the script
    ana < one frame that ana's connection receives, byte for byte apart from what `Transcript` masks
    ana x 4400 the close code (and the reason) with which the server closes ana's connection
    * an event that no client causes, such as the death of Valkey

Nothing here sleeps or guesses. After each action of a client the recorder settles: it waits until the server has
handled the action, until everything published because of it is delivered, and until every other connection has
received its share. Three facts make that work:

- The frames of one connection are answered in order. A message of an unknown type serves as a fence: its answer comes
  after everything that the connection was sent before.
- A message that a witness sends to itself travels through Valkey behind everything that was published before.
- The lines of each connection stand together, because the order of frames to different connections is not defined.
"""

import asyncio
import http.client
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count, cycle
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import Subprotocol

from tests.support.commands import Manage
from tests.support.processes import ServerProcess, UvicornProcess, ValkeyProcess

PATIENCE = 20.0
"""Seconds to wait for anything before the recording fails."""
LARGEST_ON_UVICORN = 1_000_000
"""Bytes of the largest frame that uvicorn passes on. Its default of 16 MiB takes seconds to send."""
KINDS: dict[str, tuple[Any, ...]] = {
    "daphne": (ServerProcess,),
    "uvicorn": (UvicornProcess, "--ws-max-size", str(LARGEST_ON_UVICORN)),
}
"""The kinds of servers, each with its options."""
TURN_SECRET = "for the recording only"
LENIENT = {
    "MAX_ROOMS_PER_USER": "4",
    "CALL_HOLD_SECONDS": "6",
    "STUN_URLS": "stun:turn.example.com:3478",
    "TURN_URLS": "turn:turn.example.com:3478",
    "TURN_SECRET": TURN_SECRET,
}
"""The settings of the lenient server, beside those of a development setup: it believes `?userId=`."""
STRICT = {
    "DEBUG": "off",
    "SECRET_KEY": "a key that only the recording uses, of more than fifty characters",
    "ALLOWED_HOSTS": "127.0.0.1",
    "ALLOWED_ORIGINS": "https://chat.example.com",
    "RATE_LIMITS": "on",
    "SIGNALING": "open",
}
"""The settings of the strict server: those of production, with rate limits and open signaling."""

TAB = "'"
"""What the name of a connection ends with that is the second one of its user."""
STRICT_WITNESSES = 5
"""How many take turns on the strict server, where each may write twenty messages at once."""

_TOKEN = re.compile(r"eyJ1c2VySWQi[\w-]+~[\w-]{43}")
_MASKS: dict[str, re.Pattern[str]] = {
    "own origin": re.compile(r"http://127\.0\.0\.1:\d+"),
    "token": _TOKEN,
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|\+00:00)"),
    "second": re.compile(r'(?:(?<="since": ")|(?<="expiresAt": "))20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ(?=")'),
    "date": re.compile(r"\w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT"),
    "id": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    "cursor": re.compile(r'(?:(?<="cursor":")|(?<="cursor": "))[\w-]{24,}=*(?=")'),
    "expiry": re.compile(r'(?<="username":")\d{10}(?=:)'),
    "credential": re.compile(r'(?<="credential":")[A-Za-z0-9+/]{27}=(?=")'),
    "suffix": re.compile(r'(?<=[\w>]-)[a-kmnp-z2-9]{10}(?=")'),
}
"""What differs from one run to the next. Of times and ids it is compared whether they are new or known."""
_COMPARED_BY_AGE = ("time", "id")
_ERROR_TEXT = re.compile(r'^(\{"type":"error",.*?"payload":\{"error":|\{"error": )"(?:[^"\\]|\\.)*"')
_DETAILS = re.compile(r'^(\{"type":"error_response",.*?,"details":)"(?:[^"\\]|\\.)*"')
_RETRY_AFTER = re.compile(r'^(\{"type":"error",.*?,"retryAfter":)\d+(?:\.\d+)?(?=\})')
_RUN = re.compile(r"(.)\1{39,}", re.DOTALL)


class Transcript:
    """The lines of a recording.

    Ids and times are masked, and a mask says whether the value is new or was seen before: the `createTime` of a message
    in a history must be a known one. Also masked are the wording of errors, the number in `retryAfter`, tokens,
    cursors, the credentials of TURN, the random end of a guest's id and the server's own origin. Nothing else is. A
    character that repeats 40 times or more is written once, with its count.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._known: set[str] = set()

    def adds(self, who: str, sign: str, text: str) -> None:
        """Add a line. `text` may be of any length and hold any character."""
        shown = self.masked(text)
        shown = f"{shown[:-1]}<U+0020>" if shown.endswith(" ") else shown
        self.lines.append(f"{who} {sign} {shown}".removesuffix(" "))

    def masked(self, text: str) -> str:
        """Return `text` as it stands in the recording."""
        text = _RUN.sub(lambda run: f"<{len(run[0])} times {run[1]}>", text)
        text = _ERROR_TEXT.sub(r'\1"<text>"', text)
        text = _DETAILS.sub(r'\1"<text>"', text)
        text = _RETRY_AFTER.sub(r"\1<seconds>", text)
        for name, pattern in _MASKS.items():
            text = pattern.sub(self._mask(name), text)
        return "".join(char if char.isprintable() else f"<U+{ord(char):04X}>" for char in text)

    def _mask(self, name: str) -> Callable[[re.Match[str]], str]:
        def mask(found: re.Match[str]) -> str:
            is_known = found[0] in self._known
            self._known.add(found[0])
            return f"<known {name}>" if is_known and name in _COMPARED_BY_AGE else f"<{name}>"

        return mask


class Client:
    """One WebSocket connection of the script."""

    def __init__(self, host: "Host", name: str) -> None:
        self.name = name
        self.cursor = ""
        """The cursor of the last history that this connection received."""
        self.is_open = False
        """Whether the connection is open, as far as the recorder has read."""
        self.user = ""
        """The user id of a connection that has said hello."""
        self._host = host
        self._connection: ClientConnection | None = None
        self._heard: list[str] = []

    # What the script says

    async def sends(self, frame: str | bytes) -> None:
        """Send a text frame, or a binary one, and record what everybody receives because of it."""
        self.records(">", frame if isinstance(frame, str) else f"(binary) {frame!r}")
        with suppress(ConnectionClosed):  # what the server said before is still to be read
            await self.connection.send(frame)
        await self._host.settles(self)

    async def sends_text_of(self, data: bytes) -> None:
        """Send a text frame whose bytes need not be UTF-8."""
        self.records(">", f"(text) {data!r}")
        await self.connection.send(data, text=True)
        await self._host.settles(self)

    async def sends_fragments(self, *parts: str) -> None:
        """Send one text in several frames."""
        self.records(">", f"(in {len(parts)} fragments) {''.join(parts)}")
        await self.connection.send(parts)
        await self._host.settles(self)

    async def sends_often(self, times: int, frame: str) -> None:
        """Send a frame many times in one go.

        How many of them are answered in which way depends on the speed of the machine. So each distinct answer is
        recorded once, and nothing else of this connection.
        """
        self.records(">", f"({times} times) {frame}")
        with suppress(ConnectionClosed):
            for _ in range(times):
                await self.connection.send(frame)
        heard = await self._hears_out()
        await self._host.is_delivered()
        if self.is_open:
            heard += await self._hears_out()
        self._records_once(heard)
        await self._host.settles()

    async def sends_head_first(self, frame: str) -> None:
        """Send the beginning of a frame, and the rest of it unless the server closes the connection at once.

        A server that closes while it is sent more resets the connection, and its close frame is lost.
        """
        self.records(">", f"(the head first) {frame}")
        data, head = Frame(Opcode.TEXT, frame.encode()).serialize(mask=True), 20
        self.connection.transport.write(data[:head])
        for _ in range(2):  # the server reads the head while it answers the first at the latest
            await self._host.is_delivered()
        if self.connection.state is State.OPEN:
            self.connection.transport.write(data[head:])
        await self._host.settles(self)

    async def puts(self, data: bytes, what: str) -> None:
        """Write bytes to the TCP connection that are no frame a client may send; `what` describes them."""
        self.records(">", f"({what})")
        self.connection.transport.write(data)
        await self.is_closed()

    async def pings(self, data: bytes) -> None:
        """Send a ping and wait for the pong."""
        self.records(">", f"(ping) {data!r}")
        await asyncio.wait_for(await self.connection.ping(data), PATIENCE)
        self.records("<", f"(pong) {data!r}")

    async def hears(self, count: int = 1) -> None:
        """Wait for frames that none of the connections has asked for just now."""
        while len(self._heard) < count:
            await self._receives()
        await self._host.settles()

    async def waits(self) -> None:
        """Wait for one such frame, and for nothing that other connections receive."""
        await self._receives()

    async def is_closed(self) -> None:
        """Wait until the server closes this connection."""
        while self.is_open:
            await self._receives()
        self._records_heard()

    async def closes(self, code: int = 1000) -> None:
        """Close the connection with a close frame."""
        self._leaves()
        await self.connection.close(code)
        self.records(">", f"(close {code})")

    async def drops(self) -> None:
        """Cut the TCP connection without a close frame."""
        self._leaves()
        self.records(">", "(the connection is lost)")
        self.connection.transport.abort()

    async def reads_late(self, sender: "Client", batches: Iterable[list[str]]) -> None:
        """Read nothing while another connection sends all of these, and then read on until the server closes this one.

        How much still arrives depends on the machine, so only the close is recorded.
        """
        self.records(">", f"(reads nothing while {sender.name} sends much)")
        self.connection.transport.pause_reading()
        for batch in batches:
            for frame in batch:
                await sender.connection.send(frame)
            for _ in batch:
                await sender._receives()
        self.connection.transport.resume_reading()
        sender._heard.clear()
        while self.is_open:
            await self._receives()
            self._heard = [text for text in self._heard if text.startswith("x ")]
        self._records_heard()
        await self._host.settles()

    # How it is recorded

    @property
    def connection(self) -> ClientConnection:
        assert self._connection is not None, f"{self.name} is not connected"
        return self._connection

    def records(self, sign: str, text: str) -> None:
        self._host.transcript.adds(self.name, sign, text)

    async def connects(self, uri: str, headers: Mapping[str, str], subprotocols: Iterable[str]) -> None:
        """Open the connection and record how the server answers the handshake."""
        shown = "".join(f"  {name}: {value}" for name, value in headers.items())
        offered = f"  ({', '.join(subprotocols)})" if subprotocols else ""
        where = urlsplit(uri)
        self.records(">", f"GET {where.path}?{where.query}{offered}{shown}")
        try:
            self._connection = await connect(
                uri,
                additional_headers=headers,
                subprotocols=[Subprotocol(name) for name in subprotocols] or None,
                compression=None,
                proxy=None,
                max_size=None,
                max_queue=None,
                ping_interval=None,
                open_timeout=PATIENCE,
                close_timeout=PATIENCE,
            )
        except InvalidStatus as error:
            self.records("<", f"HTTP {error.response.status_code}")
            return
        self.is_open = True
        self._host.clients.append(self)
        self.records("<", f"HTTP 101  ({self.connection.subprotocol})")
        await self._host.settles(self)

    def steps_aside(self) -> None:
        """From now on record nothing of this connection."""
        self._host.clients.remove(self)

    def steps_back(self) -> None:
        """Record again, also what has been received in the meantime."""
        self._host.clients.append(self)

    def _leaves(self) -> None:
        self.is_open = False
        self._host.clients.remove(self)

    async def fences(self) -> None:
        """Receive everything that the server has sent to this connection up to now."""
        self._heard = await self._hears_out()

    def _records_heard(self) -> None:
        """Write down what this connection has received since the last time."""
        heard, self._heard = self._heard, []
        for line in heard:
            self._host.transcript.adds(self.name, line[0], line[2:])

    def _records_once(self, heard: list[str]) -> None:
        lines = [f"{self.name} {line[:2]}{self._host.transcript.masked(line[2:])}" for line in heard]
        self._host.transcript.lines += dict.fromkeys(lines)

    async def _hears_out(self) -> list[str]:
        before, self._heard = self._heard, []
        fence = f"fence {next(self._host.fences)}"
        with suppress(ConnectionClosed):
            await self.connection.send(json.dumps({"type": "fence", "messageId": fence}))
        while self.is_open:
            await self._receives()
            if f'"inReplyTo":"{fence}"' in self._heard[-1]:
                self._heard.pop()
                break
        heard, self._heard = self._heard, []
        return before + heard

    async def _receives(self) -> None:
        """Wait for one frame, or for the end of the connection."""
        try:
            frame = await asyncio.wait_for(self.connection.recv(), PATIENCE)
        except ConnectionClosed as closed:
            self._leaves()
            end = f"{closed.rcvd.code} {closed.rcvd.reason}" if closed.rcvd else "(the connection is cut)"
            self._heard.append(f"x {end}".rstrip())
            return
        self._heard.append(f"< {frame}" if isinstance(frame, str) else f"< (binary) {frame!r}")
        if isinstance(frame, str):
            self._notes(frame)

    def _notes(self, frame: str) -> None:
        """Remember what the script may want to refer to."""
        if found := _MASKS["cursor"].search(frame[-200:]):
            self.cursor = found[0]
        if found := re.match(r'\{"type":"welcome",.*"userId":"([^"]*)"', frame):
            self.user = found[1]
        if found := re.match(r'\{"type":"chat_message",[^{]*"messageId":"([^"]*)","createTime":"([^"]*)"', frame):
            self._host.created.setdefault(found[1], found[2])


class Witness(NamedTuple):
    """A connection that only serves to find out what has been delivered. It is in a room of its own."""

    connection: ClientConnection
    user: str

    @classmethod
    async def connect(cls, url: str, number: int, headers: Mapping[str, str]) -> Self:
        """Connect to the server at `url`."""
        uri = f"{url.replace('http', 'ws', 1)}/ws/chat?userId=witness{number}&room=gallery"
        connection = await connect(
            uri, additional_headers=headers, compression=None, proxy=None, ping_interval=None, open_timeout=PATIENCE
        )
        await connection.send('{"type": "hello"}')
        welcome = json.loads(await asyncio.wait_for(connection.recv(), PATIENCE))
        return cls(connection, welcome["payload"]["userId"])

    async def writes_to_itself(self, mark: str) -> None:
        """Returns when a message to itself has come back."""
        frame = {"type": "chat_message", "toUser": self.user, "payload": {"content": mark}}
        await self.connection.send(json.dumps(frame))
        while mark not in (heard := await asyncio.wait_for(self.connection.recv(decode=True), PATIENCE)):
            assert '"code":"rate_limited"' not in heard, "too few witnesses"


class Host:
    """One server as the script sees it."""

    def __init__(self, process: ServerProcess, transcript: Transcript) -> None:
        self.process = process
        self.transcript = transcript
        self.clients: list[Client] = []
        """The open connections, apart from the witness's."""
        self.created: dict[str, str] = {}
        """The `createTime` of each chat message by its `messageId`."""
        self.fences = count(1)
        self._witnesses: Iterator[Witness] = iter(())

    async def enters(
        self,
        name: str,
        *,
        path: str = "/ws",
        query: str | None = None,
        room: str = "",
        headers: Mapping[str, str] | None = None,
        subprotocols: Iterable[str] = (),
    ) -> Client:
        """Connect.

        Without a `query` the user id is the name of the connection, without the `'` that marks a second tab.
        """
        if query is None:
            query = f"userId={name.removesuffix(TAB)}" + (f"&room={room}" if room else "")
        client = Client(self, name)
        uri = f"{self.process.url.replace('http', 'ws', 1)}{path}?{query}"
        await client.connects(uri, headers or {}, subprotocols)
        return client

    async def asks(
        self,
        method: str,
        path: str,
        body: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        shows_headers: bool = False,
    ) -> http.client.HTTPMessage:
        """Send an HTTP request; record the status and the body, and the answer's headers too when `shows_headers`.

        Returns the headers of the answer.
        """
        return await asyncio.to_thread(self._asks, method, path, body, headers or {}, shows_headers=shows_headers)

    async def opens_session(self, name: str) -> str:
        """Return the token of a new guest."""
        headers = await self.asks("POST", "/api/session", json.dumps({"name": name}))
        token = _TOKEN.search(headers["Set-Cookie"])
        assert token is not None
        return token[0]

    async def settles(self, actor: Client | None = None) -> None:
        """Record everything that the last action of `actor` leads to, for all open connections."""
        if actor is not None and actor.is_open:
            await actor.fences()
        await self.is_delivered()
        for client in list(self.clients):
            await client.fences()
        for client in dict.fromkeys([*([actor] if actor else []), *self.clients]):
            client._records_heard()

    @asynccontextmanager
    async def watched(self, *witnesses: Mapping[str, str]) -> AsyncIterator[None]:
        """Keep the connections of the witnesses open, each with its headers.

        They take turns, because a rate limit counts for each connection.
        """
        opened = [await Witness.connect(self.process.url, number, each) for number, each in enumerate(witnesses)]
        self._witnesses = cycle(opened)
        try:
            yield
        finally:
            for connection in (*(one.connection for one in opened), *(client.connection for client in self.clients)):
                connection.transport.abort()

    async def is_delivered(self) -> None:
        """Returns when everything that was published so far has been delivered."""
        await next(self._witnesses).writes_to_itself(f"witness {next(self.fences)}")

    def _asks(
        self, method: str, path: str, body: str, headers: Mapping[str, str], *, shows_headers: bool
    ) -> http.client.HTTPMessage:
        where = urlsplit(self.process.url)
        connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body or None, dict(headers))
            response = connection.getresponse()
            content = response.read().decode()
        finally:
            connection.close()
        shown = "".join(f"  {name}: {value}" for name, value in headers.items() if not name.startswith("Sec-"))
        self.transcript.adds("http", ">", f"{method} {path}{shown}  {body}".rstrip())
        self.transcript.adds("http", "<", f"{response.status} {response.reason if shows_headers else ''}".rstrip())
        if shows_headers:
            for name, value in response.headers.items():
                self.transcript.adds("http", "<", f"{name}: {self._without_accidents(name, value, content)}")
        if not content.lstrip().startswith("<"):  # a page, which is no part of the protocol
            for line in content.splitlines():
                self.transcript.adds("http", "<", line)
        return response.headers

    def _without_accidents(self, name: str, value: str, content: str) -> str:
        """Return a header's value as it is recorded."""
        if name.lower() == "x-request-id":
            return re.sub(r"^[0-9a-f]{8}$", "<request>", value)
        if name.lower() == "content-length" and value == str(len(content.encode())):
            return "<as the body>"
        return value


class Stage:
    """The two servers of one kind, the Valkey that they share, and what is recorded of them."""

    def __init__(self, valkey: ValkeyProcess, lenient: ServerProcess, strict: ServerProcess) -> None:
        self.valkey = valkey
        self._transcript = Transcript()
        self.lenient, self.strict = Host(lenient, self._transcript), Host(strict, self._transcript)

    def cut(self) -> list[str]:
        """Return the lines since the last cut."""
        lines = self._transcript.lines[:]
        self._transcript.lines.clear()
        return lines

    def heading(self, text: str) -> None:
        """Begin a part of the conversation."""
        self._transcript.lines += ["", f"# {text}"] if self._transcript.lines else [f"# {text}"]

    def happens(self, text: str) -> None:
        """Record an event that no client causes."""
        self._transcript.lines.append(f"* {text}")

    async def manages(self, *command: str) -> None:
        """Run a command of `manage.py` on the Valkey of the servers, as an operator does."""
        self.happens(f"manage.py {' '.join(command)}")
        async with _one_command:
            ran = await Manage(self.valkey.address, self.lenient.process.log.parent)(*command)
        assert ran.status == 0, ran

    async def time_is_up_for(self, user: str) -> None:
        """Let the rest of the user's time online pass at once. The user has just closed the last connection."""
        grace = 20  # seconds: less than a lease, and more than the server leaves a user without a connection
        deadline = time.monotonic() + PATIENCE
        while not 0 < self._online_until(user) - time.time() < grace:
            assert time.monotonic() < deadline, f"the server has not noticed that {user} is gone"
            await asyncio.sleep(0.01)
        self.happens(f"the time is up in which {user} could come back")
        self.valkey.client.zadd("users:online", {user: 0})

    def _online_until(self, user: str) -> float:
        return float(self.valkey.client.zscore("users:online", user) or 0)


class Recording(NamedTuple):
    """What was recorded of one kind of server, in lines."""

    common: list[str]
    """The conversation in which all kinds agree."""
    own: list[str]
    """What each kind does in its own way."""


_one_command = asyncio.Lock()
"""Commands run in this process, whose settings say where Valkey is."""
Scenes = Callable[[Stage], Awaitable[None]]


async def record(kind: str, directory: Path, *, conversation: Scenes, differences: Scenes) -> Recording:
    """Start servers of this kind, play both scripts to them, and return what was sent and received."""
    async with _stage_of(kind, directory) as stage:
        try:
            await differences(stage)
            own = stage.cut()
            await conversation(stage)
        except Exception as error:
            error.add_note("\n".join([f"{kind} had come to:", *stage.cut()[-20:]]))
            raise
        return Recording(stage.cut(), own)


@asynccontextmanager
async def _stage_of(kind: str, directory: Path) -> AsyncIterator[Stage]:
    """Start a Valkey that keeps its data on disk, and a lenient and a strict server of this kind."""
    make, *options = KINDS[kind]
    async with AsyncExitStack() as stack:
        directory.mkdir(parents=True)
        valkey = stack.enter_context(ValkeyProcess(directory, "--appendonly", "yes"))
        processes = [
            make(directory / name, *options, **(valkey.environment | settings))
            for name, settings in (("lenient", LENIENT), ("strict", STRICT))
        ]
        for process in processes:
            stack.push_async_callback(asyncio.to_thread, process.__exit__, None, None, None)
        for process in processes:  # one after the other: a busy machine may be slow to start them
            await asyncio.to_thread(process.start)
        stage = Stage(valkey, *processes)
        tokens = [await stage.strict.opens_session("witness") for _ in range(STRICT_WITNESSES)]
        await stack.enter_async_context(stage.lenient.watched({}))
        witnesses = [{"Authorization": f"Bearer {token}"} for token in tokens]
        await stack.enter_async_context(stage.strict.watched(*witnesses))
        stage.cut()
        yield stage
