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
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from tests.recording.servers import KINDS, LENIENT, STRICT
from tests.recording.stage import Stage
from tests.support.processes import ValkeyProcess

STRICT_WITNESSES = 5
"""How many take turns on the strict server, where each may write twenty messages at once."""


class Recording(NamedTuple):
    """What was recorded of one kind of server, in lines."""

    common: list[str]
    """The conversation in which all kinds agree."""
    own: list[str]
    """What each kind does in its own way."""


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
