"""What was said in a room is asked for: the load of history."""

import asyncio

from benchmarks.dialects import Socket
from benchmarks.measuring import SETTLE, Result, Run
from benchmarks.talking import Talker, message

READERS, KEPT, PAGE = 20, 10_000, 50


async def history(run: Run) -> Result:
    """Readers ask for the last 50 of 10 000 messages, one request in flight each."""
    writers = await run.connect([("writer", "archive")])
    await asyncio.sleep(SETTLE)
    await _fill(run, writers[0])
    sockets = await run.connect((f"u{n}", "archive") for n in range(READERS))
    await asyncio.sleep(SETTLE)
    request = run.dialect.encoded("get_recent_messages", {"room": "archive", "payload": {"limit": PAGE}})
    first: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    sockets[0].hear = first.set_result
    sockets[0].say(request)
    if (found := (await first).count(b"createTime")) < PAGE:
        raise RuntimeError(f"a history has {found} messages instead of {PAGE}")
    talkers = [Talker(run, socket, request, b"recent_messages") for socket in sockets]
    for talker in talkers:
        talker.say()
    return await run.timed(copies=1)


async def _fill(run: Run, socket: Socket) -> None:
    writer = Talker(run, socket, *message(run, "writer", room="archive"))
    for _ in range(100):
        writer.say()
    while len(run.latencies) < run.sent:
        writer.again = run.sent < KEPT
        await asyncio.sleep(0.001)
    run.said, run.sent, run.deliveries = run.sent, 0, 0
