"""Frames that are written together at the end of a turn of the event loop."""

import asyncio

from aleatoria.servers.outbox import Flusher, Outbox


class Written:
    """An outbox, and each write of it."""

    def __init__(self, flusher: Flusher) -> None:
        self.writes: list[bytes] = []
        self.outbox = Outbox(flusher, self.writes.append)


async def test_what_is_put_in_one_turn_is_one_write_for_each_connection() -> None:
    flusher = Flusher()
    ana, bob = Written(flusher), Written(flusher)
    for frame in (b"one ", b"two"):
        ana.outbox.put(frame)
        bob.outbox.put(frame)
    assert (ana.writes, ana.outbox.size) == ([], 7)
    await asyncio.sleep(0)
    assert ana.writes == bob.writes == [b"one two"]
    assert ana.outbox.size == 0


async def test_what_is_put_in_the_next_turn_is_the_next_write() -> None:
    ana = Written(Flusher())
    for frame in (b"one", b"two"):
        ana.outbox.put(frame)
        await asyncio.sleep(0)
    assert ana.writes == [b"one", b"two"]


async def test_what_is_flushed_at_once_is_not_written_again() -> None:
    ana = Written(Flusher())
    ana.outbox.put(b"one")
    ana.outbox.flush()
    ana.outbox.put(b"two")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert ana.writes == [b"one", b"two"]


async def test_what_is_put_while_others_are_written_is_written_after_them() -> None:
    flusher = Flusher()
    bob = Written(flusher)
    ana = Outbox(flusher, lambda data: bob.outbox.put(b"after " + data))
    ana.put(b"one")
    for _ in range(2):
        await asyncio.sleep(0)
    assert bob.writes == [b"after one"]
