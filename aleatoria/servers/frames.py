"""The two WebSocket frames that nearly all are (RFC 6455, 5.2), without the detours of a library that knows them all.

Out: a text, framed once for all who get it. In: a whole text in one frame. What else there is, and each offence, is for
the server's own library.
"""

_SMALL, _MIDDLE = 126, 65536
_TEXT = 0x81  # a final frame that holds text
_MASKED = 0x80  # clients mask, servers do not
_last: tuple[str, bytes] = ("", b"")


def frame_of(text: str) -> bytes:
    """The frame that carries `text`; of a broadcast it is made once."""
    global _last
    if _last[0] is text:
        return _last[1]
    payload = text.encode()
    size = len(payload)
    if size < _SMALL:
        head = bytes([_TEXT, size])
    elif size < _MIDDLE:
        head = bytes([_TEXT, 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([_TEXT, 127]) + size.to_bytes(8, "big")
    _last = text, head + payload
    return _last[1]


def whole_text(data: bytes | bytearray, start: int) -> tuple[bytes, int] | None:
    """The payload of the text frame that begins at `start`, and where the next one does.

    None when it is not all there, or no such frame of less than 64 KiB.
    """
    if len(data) < start + 6 or data[start] != _TEXT:
        return None
    size, head = data[start + 1] - _MASKED, start + 2
    if size == 126:
        size, head = int.from_bytes(data[head : head + 2], "big"), head + 2
        if size < _SMALL:
            return None  # not the shortest way to say it
    elif not 0 <= size < 126:
        return None
    begin = head + 4
    end = begin + size
    if len(data) < end:
        return None
    mask = data[head:begin] * (size // 4 + 1)
    masked = int.from_bytes(data[begin:end], "little")
    return (masked ^ int.from_bytes(mask[:size], "little")).to_bytes(size, "little"), end


def frame_size(data: bytes | bytearray, start: int) -> int | None:
    """How many bytes the frame that begins at `start` takes, all in all; None when that is not there yet."""
    if len(data) < start + 2:
        return None
    size = data[start + 1] & 0x7F
    more = {126: 2, 127: 8}.get(size, 0)
    head = start + 2 + more
    if len(data) < head:
        return None
    if more:
        size = int.from_bytes(data[start + 2 : head], "big")
    mask = 4 if data[start + 1] & _MASKED else 0
    return 2 + more + mask + size
