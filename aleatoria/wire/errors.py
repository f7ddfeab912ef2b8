"""The catalog of error codes and close codes, and the exceptions that carry them to a client.

Exception
├── WireError             a request that is not carried out; its text is shown to a person, its code is for a program
│   ├── MalformedFrame    the frame holds no envelope: answered with `error_response`
│   └── Refused           the server declines a well-formed request: answered with `error`
└── Rejected              a connection that is accepted only to be closed with a close code

Import a code by its name, so that a misspelled one fails at import. The codes of an app stand in the app, as in
chat/errors.py, and join the same catalog. docs/protocol.md lists the catalog; a test compares the two.
"""

from dataclasses import dataclass
from enum import Enum


class Client(Enum):
    """What a client does about an error or a close. The values are the words of docs/protocol.md."""

    # About an error
    FIX_REQUEST = "fix the request before sending it again"
    DO_AS_TOLD = "do what the text says, then send the request again"
    WAIT_AS_TOLD = "send the request again after `retryAfter` seconds"
    RETRY_LATER = "send the request again a little later"
    DROP_REQUEST = "do not send the request again"
    # About a close
    RECONNECT = "reconnect after random delays that grow, and fetch what was missed"
    RECONNECT_WITH_DELAY = "reconnect after a random delay of up to 5 s"
    SLOW_DOWN = "reconnect after at least 5 s and send more slowly"
    GET_TOKEN = "get a new token, then reconnect"  # noqa: S105 # no password
    FIX_CLIENT = "fix the client; until then the same happens again"
    GIVE_UP = "do not reconnect unless the user asks for it"
    NOTHING = "nothing: the client has closed the connection itself"


ERRORS: dict[str, "ErrorCode"] = {}
"""Every error code by its name on the wire."""
CLOSES: dict[int, "CloseCode"] = {}
"""Every close code by its number on the wire."""


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """The `code` of an `error`, of an `error_response`, or of an error over HTTP.

    Making one enters it in `ERRORS`. Raises TypeError when there is one of the same name.
    """

    name: str
    meaning: str
    """When a client gets it, as docs/protocol.md says it."""
    client: Client

    def __post_init__(self) -> None:
        if ERRORS.setdefault(self.name, self) is not self:
            raise TypeError(f"The error code {self.name!r} is declared twice.")


@dataclass(frozen=True, slots=True)
class CloseCode:
    """The code with which a WebSocket is closed, by either side.

    Making one enters it in `CLOSES`. Raises TypeError when there is one of the same number.
    """

    number: int
    meaning: str
    """Why a socket is closed with it, as docs/protocol.md says it."""
    client: Client

    def __post_init__(self) -> None:
        if CLOSES.setdefault(self.number, self) is not self:
            raise TypeError(f"The close code {self.number} is declared twice.")


MALFORMED = ErrorCode("malformed", "the frame holds no envelope; the HTTP body is not as described", Client.FIX_REQUEST)
TOO_LARGE = ErrorCode(
    "too_large", "the frame has more than `MAX_MESSAGE_BYTES`, or a field is too long", Client.FIX_REQUEST
)
UNKNOWN_TYPE = ErrorCode("unknown_type", "this socket answers no such `type`", Client.FIX_REQUEST)
INVALID_FIELD = ErrorCode(
    "invalid_field", "a field is missing, or its type or value is wrong; the text says which", Client.FIX_REQUEST
)
RATE_LIMITED = ErrorCode(
    "rate_limited", "the socket exceeds a [limit](#limits); `retryAfter` is in seconds", Client.WAIT_AS_TOLD
)
FORBIDDEN = ErrorCode(
    "forbidden", "only the server sends this `type`; over HTTP: the page or address has no access", Client.DROP_REQUEST
)
INTERNAL = ErrorCode("internal", "the server has failed; the cause is in its log", Client.RETRY_LATER)

NORMAL = CloseCode(1000, "the client has closed the connection on purpose", Client.NOTHING)
GOING_AWAY = CloseCode(1001, "the page that held the connection is gone", Client.NOTHING)
PROTOCOL_ERROR = CloseCode(1002, "uvicorn only: the frame breaks the rules of WebSocket", Client.FIX_CLIENT)
NO_CODE = CloseCode(1005, "the client has closed the connection without giving a code", Client.NOTHING)
LOST = CloseCode(1006, "the connection was lost; this code is never on the wire", Client.RECONNECT)
TOO_BIG = CloseCode(1009, "uvicorn only: the message has more than `--ws-max-size` bytes", Client.FIX_CLIENT)
SERVICE_RESTART = CloseCode(1012, "the server restarts", Client.RECONNECT_WITH_DELAY)
BAD_REQUEST = CloseCode(
    4400, "the query is invalid, or this is the twentieth malformed frame within a minute", Client.FIX_CLIENT
)
UNIDENTIFIED = CloseCode(4401, "the token is missing, expired, or forged", Client.GET_TOKEN)
BANNED = CloseCode(4403, "an operator has closed all sockets of the user", Client.GIVE_UP)
SLOW_READER = CloseCode(4408, "the client reads too slowly", Client.RECONNECT)
FLOODING = CloseCode(4429, "the socket exceeds a [limit](#limits) tenfold", Client.SLOW_DOWN)


class WireError(Exception):
    """A request that is not carried out. The text is for a person, the code for a program."""

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code


class MalformedFrame(WireError):
    """A frame that holds no envelope. The text is for the developer of the client."""

    def __init__(self, text: str, code: ErrorCode = MALFORMED) -> None:
        super().__init__(code, text)


class Refused(WireError):
    """A well-formed request that the server declines. The text is shown to the sender as it is.

    `retry_after` is the number of seconds after which the same request may be sent again.
    """

    def __init__(self, code: ErrorCode, text: str, *, retry_after: float | None = None) -> None:
        super().__init__(code, text)
        self.retry_after = retry_after


class Rejected(Exception):
    """A connection that is accepted only to be closed with a code."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code.number)
        self.code = code
