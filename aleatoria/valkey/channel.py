"""One receiver of the channel layer, such as a socket, and the events that wait for it."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any

from aleatoria.valkey.events import Event

logger = logging.getLogger(__name__)

Sink = Callable[[Event], Coroutine[Any, Any, None]]

BACKLOG_EVENTS = 1000
"""Events that may wait for one receiver. Its owner is told of the next one, which is dropped."""


class Channel:
    """One receiver in this process.

    An event goes to the receiver's sink at once. While the sink waits for something, later events wait behind it.
    """

    # There are as many channels as sockets, so the queue and the backlog exist only while they are used.
    __slots__ = ("_backlog", "_on_overflow", "_queue", "_sink", "groups", "task", "write")

    def __init__(self) -> None:
        self.groups: set[bytes] = set()
        self._queue: asyncio.Queue[Event] | None = None
        self._sink: Sink = self._enqueue
        self._on_overflow: Callable[[], None] = _ignore
        self._backlog: deque[Event] | None = None
        self.task: asyncio.Task[None] | None = None
        """The task that delivers the events that wait; None while none does."""
        self.write: Callable[[str], bool] | None = None
        """The server's way to send the text of a finished frame without waiting, where it has one. It returns whether
        it has taken the text."""

    @property
    def queue(self) -> asyncio.Queue[Event]:
        """The events for `receive` of a channel that has no sink."""
        if self._queue is None:
            self._queue = asyncio.Queue(BACKLOG_EVENTS)
        return self._queue

    def attach(self, sink: Sink, on_overflow: Callable[[], None]) -> None:
        """Hand events to `sink` from now on. When the backlog is full, call `on_overflow` and drop the event."""
        self._sink = sink
        self._on_overflow = on_overflow

    def hand(self, event: Event) -> None:
        """Give `event` to the sink, or put it into the backlog while the sink still waits with an earlier one.

        The sink runs in the caller's task up to its first wait, so it must not use `asyncio.timeout` there.
        """
        # A task for each event costs four times as much, and delivers a turn of the event loop later than replies that
        # are sent at the same time. From Python 3.12 on, `asyncio.Task(eager_start=True)` does what is done here.
        if self.task is not None:
            self._put_into_backlog(event)
            return
        delivery = self._sink(event)
        try:
            awaited = delivery.send(None)
        except StopIteration:
            return
        except Exception:
            logger.debug("a receiver is gone", exc_info=True)
            return
        self.task = asyncio.get_running_loop().create_task(self._catch_up(delivery, awaited))

    def close(self) -> None:
        """Deliver nothing more, the backlog included."""
        self._backlog = None
        self.write = None
        if self.task is not None:
            self.task.cancel()

    def _put_into_backlog(self, event: Event) -> None:
        if self._backlog is None:
            self._backlog = deque()
        if len(self._backlog) < BACKLOG_EVENTS:
            self._backlog.append(event)
        else:
            self._on_overflow()

    async def _enqueue(self, event: Event) -> None:
        if self.queue.full():
            self._on_overflow()
        else:
            self.queue.put_nowait(event)

    async def _catch_up(self, delivery: Coroutine[Any, Any, None], awaited: object) -> None:
        try:
            await _rest_of(delivery, awaited)
            while self._backlog:
                await self._sink(self._backlog.popleft())
        except Exception:
            logger.debug("a receiver is gone", exc_info=True)
        finally:
            self.task = self._backlog = None


def _ignore() -> None:
    """Drop the event of a channel that nobody has attached to."""


@coroutine
def _rest_of(started: Coroutine[Any, Any, None], awaited: object) -> Generator[Any, Any, None]:
    """Await a coroutine that runs already and has yielded the future `awaited`.

    `await started` would not do: its first wait has been handed out, and only a task can wait for that future.
    """
    try:
        while True:
            try:
                value = yield awaited
            except BaseException as error:  # a cancellation, or what the future failed with, is the coroutine's
                awaited = started.throw(error)
            else:
                awaited = started.send(value)
    except StopIteration:
        return
