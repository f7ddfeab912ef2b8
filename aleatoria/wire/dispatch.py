"""Marks on methods, which make a consumer's tables: what a client names is never looked up on the object itself."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

from aleatoria.wire.envelope import Envelope

Method = TypeVar("Method", bound=Callable[..., Awaitable[None]])


class Handler(NamedTuple):
    """What answers a type of message, and which rate it counts towards."""

    call: Callable[[Any, Envelope], Awaitable[None]]
    rate: str


def handles(*types: str, rate: str = "other") -> Callable[[Method], Method]:
    """Mark a method as what answers these message types of clients."""

    def mark(method: Method) -> Method:
        method._handles = {kind: Handler(method, rate) for kind in types}  # type: ignore[attr-defined]
        return method

    return mark


def hears(event: str) -> Callable[[Method], Method]:
    """Mark a method as what happens when the layer brings this event."""

    def mark(method: Method) -> Method:
        method._hears = {event: method}  # type: ignore[attr-defined]
        return method

    return mark


def marked(consumer: type, mark: str) -> dict[str, Any]:
    """The table that the marks make, the bases' included; TypeError when two methods claim the same."""
    table: dict[str, Any] = {}
    for base in reversed(consumer.__mro__):
        for method in vars(base).values():
            for name, entry in getattr(method, mark, {}).items():
                if table.setdefault(name, entry) is not entry:
                    raise TypeError(f"{consumer.__name__} answers {name!r} twice")
    return table
