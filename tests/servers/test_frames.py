"""The frames we read and write ourselves, against a library that knows them all."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from aleatoria.servers.frames import frame_of, frame_size, whole_text
from tests.support.raw import framed

Buffer = type[bytes] | type[bytearray]
SIZES = [0, 1, 2, 3, 4, 5, 124, 125, 126, 127, 128, 255, 256, 65534, 65535, 65536, 65537, 100_000]
"""Around each of which a frame looks different."""
SMALLER_THAN_64_KIB = [size for size in SIZES if size < 65536]
payloads = st.binary(max_size=300) | st.sampled_from(SMALLER_THAN_64_KIB).map(lambda size: b"\xf0" * size)
buffers = st.sampled_from([bytes, bytearray])
each_buffer = pytest.mark.parametrize("buffer", [bytes, bytearray])


def read(data: bytes, *, mask: bool) -> tuple[Frame, int]:
    """The frame that `data` begins with, as the library reads it, and how many bytes it takes."""
    reader = StreamReader()
    reader.feed_data(data)
    parser = Frame.parse(reader.read_exact, mask=mask)
    try:
        next(parser)
    except StopIteration as done:
        frame: Frame = done.value
        return frame, len(data) - len(reader.buffer)
    raise AssertionError("it is not all there")


def with_length(payload: bytes, width: int) -> bytes:
    """A text frame of a client's whose length is written in two bytes or in eight, however short it is."""
    short = framed(payload)
    assert len(payload) < 126
    marker = {2: 126, 8: 127}[width]
    return bytes([short[0], 0x80 | marker]) + len(payload).to_bytes(width, "big") + short[2:]


# Out


@given(text=st.text() | st.sampled_from(SIZES).map(lambda size: "x" * size))
@example(text="ü" * 63)
@example(text="€" * 21845)
def test_a_text_is_framed_as_the_library_frames_it(text: str) -> None:
    frame = frame_of(text)
    assert frame == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
    assert read(frame, mask=False) == (Frame(Opcode.TEXT, text.encode()), len(frame))


@given(texts=st.lists(st.text(max_size=3), min_size=1, max_size=3), order=st.lists(st.integers(0, 2), max_size=12))
def test_a_text_gets_its_own_frame_whatever_was_framed_before_it(texts: list[str], order: list[int]) -> None:
    for number in order:
        text = texts[number % len(texts)]
        assert read(frame_of(text), mask=False)[0].data == text.encode()


def test_the_frame_of_a_broadcast_is_made_once() -> None:
    text = "for all of them"
    assert frame_of(text) is frame_of(text)


# In


@given(payload=payloads, buffer=buffers)
@example(payload=b"\xff\xfe not UTF-8", buffer=bytes)
def test_a_whole_text_is_read_as_the_library_reads_it(payload: bytes, buffer: Buffer) -> None:
    frame = framed(payload)
    assert whole_text(buffer(frame), 0) == (payload, len(frame))
    assert read(frame, mask=True) == (Frame(Opcode.TEXT, payload), len(frame))


@given(data=st.binary(max_size=200), head=st.sampled_from([b"\x81", b"\x81\x80", b"\x81\xfe\x00", b""]))
def test_of_any_bytes_nothing_is_taken_that_the_library_would_read_otherwise(data: bytes, head: bytes) -> None:
    found = whole_text(head + data, 0)
    if found is not None:
        payload, end = found
        assert read(head + data, mask=True) == (Frame(Opcode.TEXT, payload), end)


@each_buffer
@pytest.mark.parametrize("size", SMALLER_THAN_64_KIB)
def test_a_text_of_less_than_64_kib_is_taken(size: int, buffer: Buffer) -> None:
    payload = bytes(number % 251 for number in range(size))
    assert whole_text(buffer(framed(payload)), 0) == (payload, len(framed(payload)))


@pytest.mark.parametrize("size", [65536, 65537, 100_000])
def test_a_larger_one_is_left_to_the_library(size: int) -> None:
    assert whole_text(framed(b"x" * size), 0) is None


@given(payload=payloads, buffer=buffers, data=st.data())
def test_a_text_that_is_not_all_there_is_none(payload: bytes, buffer: Buffer, data: st.DataObject) -> None:
    frame = framed(payload)
    there = data.draw(st.integers(0, len(frame) - 1) | st.integers(0, min(13, len(frame) - 1)))
    assert whole_text(buffer(frame[:there]), 0) is None


@given(
    before=st.binary(max_size=20), rows=st.lists(payloads, max_size=5), rest=st.integers(0, 8), buffer=buffers
)  # fmt: skip
def test_several_in_a_row_are_read_one_after_the_other(
    before: bytes, rows: list[bytes], rest: int, buffer: Buffer
) -> None:
    data = buffer(before + b"".join(framed(payload) for payload in rows) + framed(b"the last one")[:rest])
    found, start = [], len(before)
    while (text := whole_text(data, start)) is not None:
        payload, start = text
        found.append(payload)
    assert found == rows
    assert len(data) - start == rest


@pytest.mark.parametrize("width", [2, 8])
@pytest.mark.parametrize("size", [0, 1, 124, 125])
def test_one_whose_length_could_be_shorter_is_left_to_the_library(size: int, width: int) -> None:
    frame = with_length(b"x" * size, width)
    assert whole_text(frame, 0) is None
    assert frame_size(frame, 0) == len(frame)


@pytest.mark.parametrize("size", SIZES)
def test_one_that_is_not_masked_is_left_to_the_library_which_refuses_it(size: int) -> None:
    frame = Frame(Opcode.TEXT, b"x" * size).serialize(mask=False)
    assert whole_text(frame + b"and more", 0) is None
    with pytest.raises(ProtocolError, match="masking"):
        read(frame, mask=True)


@given(opcode=st.integers(0, 15).filter(lambda opcode: opcode != Opcode.TEXT), payload=st.binary(max_size=125))
def test_other_frames_are_left_to_the_library(opcode: int, payload: bytes) -> None:
    frame = bytearray(framed(payload))
    frame[0] = 0x80 | opcode
    assert whole_text(frame, 0) is None


@given(first=st.integers(0, 255).filter(lambda first: first != 0x81), payload=st.binary(max_size=125))
def test_fragments_and_reserved_bits_are_left_to_the_library(first: int, payload: bytes) -> None:
    assert whole_text(bytes([first]) + framed(payload)[1:], 0) is None


# How much


@given(
    opcode=st.sampled_from(Opcode), size=st.integers(0, 125) | st.sampled_from(SIZES), mask=st.booleans(),
    before=st.binary(max_size=20), behind=st.binary(max_size=20), buffer=buffers,
)  # fmt: skip
def test_the_size_of_any_frame_is_that_which_the_library_gives_it(
    *, opcode: Opcode, size: int, mask: bool, before: bytes, behind: bytes, buffer: Buffer
) -> None:
    size = min(size, 125) if opcode > Opcode.BINARY else size
    frame = Frame(opcode, b"x" * size).serialize(mask=mask)
    assert frame_size(buffer(before + frame + behind), len(before)) == len(frame)


@pytest.mark.parametrize(("size", "head"), [(0, 2), (125, 2), (126, 4), (65535, 4), (65536, 10), (100_000, 10)])
def test_the_size_is_known_as_soon_as_the_length_is_there(size: int, head: int) -> None:
    frame = framed(b"x" * size)
    assert [frame_size(frame[:there], 0) for there in range(head)] == [None] * head
    assert {frame_size(frame[:there], 0) for there in range(head, head + 4)} == {len(frame)}
