"""On whose behalf something is done: the connection, request and call that log lines name."""

from contextvars import ContextVar
from random import getrandbits
from time import perf_counter


class Trace:
    """One socket, and where it is. Text that a client chose never goes in."""

    __slots__ = ("call", "connection", "received_at", "request")

    def __init__(self) -> None:
        self.connection = f"{getrandbits(32):08x}"
        self.request = 0
        """How many frames have come in."""
        self.received_at = 0.0
        """When the one did that is being answered, by `perf_counter`; 0 while none is."""
        self.call = ""
        """The same on both sides of a call."""

    def receive(self) -> None:
        """A frame has come in; what is done now is done for it."""
        self.request += 1
        self.received_at = perf_counter()

    def answered(self) -> None:
        """What is done from now on is done for no frame."""
        self.received_at = 0.0

    def fields(self) -> dict[str, str]:
        """What a log line says of it."""
        request = f"{self.connection}.{self.request}" if self.request else ""
        found = {"connection_id": self.connection, "request_id": request, "call_id": self.call}
        return {name: value for name, value in found.items() if value}


class HttpTrace(Trace):
    """One HTTP request, which is all there is to its connection."""

    def fields(self) -> dict[str, str]:
        return {"request_id": self.connection}


current: ContextVar[Trace | None] = ContextVar("current", default=None)
"""The one of the running task, if it serves anybody."""
