"""Text frames of the WebSocket protocol (RFC 6455, section 5.2), encoded and decoded without a library.

Nearly all frames are a whole text. Every other frame, and every violation of the protocol, is left to the server's own
WebSocket library: `whole_text` returns None for it.
"""

from functools import lru_cache

_SMALL, _MIDDLE = 126, 65536
"""The first payload sizes, in bytes, that need two and eight more bytes for the length."""
_TEXT = 0x81
"""The first byte of a final text frame."""
_MASKED = 0x80
"""The bit of the second byte that says that the payload is masked. Clients mask, servers do not."""


@lru_cache(maxsize=1)  # a broadcast asks for the frame of one text as often as it has receivers
def frame_of(text: str) -> bytes:
    """Return the unmasked frame that carries `text`."""
    payload = text.encode()
    size = len(payload)
    if size < _SMALL:
        head = bytes([_TEXT, size])
    elif size < _MIDDLE:
        head = bytes([_TEXT, 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([_TEXT, 127]) + size.to_bytes(8, "big")
    return head + payload


def whole_text(data: bytes | bytearray, start: int) -> tuple[bytes, int] | None:
    """Return the payload of the text frame that begins at `start`, and the position where the frame ends.

    Return None when the frame is incomplete, is not a masked final text frame, or carries 64 KiB or more.
    """
    if len(data) < start + 6 or data[start] != _TEXT:
        return None
    size, head = data[start + 1] - _MASKED, start + 2
    if size == 126:
        size, head = int.from_bytes(data[head : head + 2], "big"), head + 2
        if size < _SMALL:
            return None  # the length has a shorter encoding, which the protocol demands
    elif not 0 <= size < 126:
        return None
    begin = head + 4
    end = begin + size
    if len(data) < end:
        return None
    # As two large numbers: Python has no faster way to XOR two byte strings.
    mask = data[head:begin] * (size // 4 + 1)
    masked = int.from_bytes(data[begin:end], "little")
    return (masked ^ int.from_bytes(mask[:size], "little")).to_bytes(size, "little"), end


def frame_size(data: bytes | bytearray, start: int) -> int | None:
    """Return the size in bytes of the frame that begins at `start`, head included.

    Return None while too little of the head is there to say.
    """
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
