"""Marks on a consumer's methods, from which its tables of handlers and listeners are made.

What a client names is looked up in such a table, never on the object itself.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

from aleatoria.wire.envelope import Envelope
from aleatoria.wire.limits import OTHER, Rate

Method = TypeVar("Method", bound=Callable[..., Awaitable[None]])


class Handler(NamedTuple):
    """The method that answers a type of message, and the rate the message counts toward."""

    call: Callable[[Any, Envelope], Awaitable[None]]
    rate: Rate


def handles(*types: str, rate: Rate = OTHER) -> Callable[[Method], Method]:
    """Mark a method as the one that answers these types of messages from clients."""

    def mark(method: Method) -> Method:
        method._handles = {kind: Handler(method, rate) for kind in types}  # type: ignore[attr-defined]
        return method

    return mark


def hears(event: str) -> Callable[[Method], Method]:
    """Mark a method as the one that is called when the channel layer delivers this event."""

    def mark(method: Method) -> Method:
        method._hears = {event: method}  # type: ignore[attr-defined]
        return method

    return mark


def marked(consumer: type, mark: str) -> dict[str, Any]:
    """Return the table that the marks on a consumer and its bases make.

    Raises TypeError when two methods claim the same name.
    """
    table: dict[str, Any] = {}
    for base in reversed(consumer.__mro__):
        for method in vars(base).values():
            for name, entry in getattr(method, mark, {}).items():
                if table.setdefault(name, entry) is not entry:
                    raise TypeError(f"{consumer.__name__} answers {name!r} twice")
    return table
