"""Frames on their way out: together at the end of a turn of the event loop, and in order."""

import asyncio

from aleatoria.servers.outbox import CLOSE_HANDSHAKE, FAREWELL_DEADLINE, Flusher, Outbox


class Written:
    """Two outboxes of one flusher, and what they have written."""

    def __init__(self) -> None:
        self.all: list[tuple[str, bytes]] = []
        flusher = Flusher()
        self.one = Outbox(flusher, lambda data: self.all.append(("one", data)))
        self.other = Outbox(flusher, lambda data: self.all.append(("other", data)))


async def test_what_is_put_in_one_turn_is_written_together_at_its_end() -> None:
    written = Written()
    for frame in (b"a", b"bc", b"d"):
        written.one.put(frame)
    written.other.put(b"e")
    assert written.all == []
    await asyncio.sleep(0)
    assert written.all == [("one", b"abcd"), ("other", b"e")]
    await asyncio.sleep(0)
    assert len(written.all) == 2


async def test_the_size_is_that_of_what_is_not_written_yet() -> None:
    written = Written()
    assert written.one.size == 0
    for turn in range(3):
        for frame in (b"abc", b"de"):
            written.one.put(frame)
        assert written.one.size == 5, turn
        await asyncio.sleep(0)
        assert written.one.size == 0, turn
    assert written.all == [("one", b"abcde")] * 3


async def test_what_is_flushed_is_written_now_and_once() -> None:
    written = Written()
    written.one.put(b"a")
    written.one.flush()
    assert written.all == [("one", b"a")]
    written.one.put(b"b")
    await asyncio.sleep(0)
    written.one.flush()
    assert written.all == [("one", b"a"), ("one", b"b")]


async def test_what_is_put_while_others_are_written_goes_out_in_the_next_turn() -> None:
    written = Written()
    again = Outbox(written.one._flusher, lambda data: written.one.put(data * 2))
    again.put(b"x")
    written.other.put(b"y")
    await asyncio.sleep(0)
    assert written.all == [("other", b"y")]
    await asyncio.sleep(0)
    assert written.all == [("other", b"y"), ("one", b"xx")]


def test_a_slow_client_has_seconds_and_a_restart_is_short() -> None:
    assert (CLOSE_HANDSHAKE, FAREWELL_DEADLINE) == (10, 1)
