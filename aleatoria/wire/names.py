"""The grammar of user ids and room names."""

import re
import unicodedata
from functools import lru_cache

SYSTEM = "system"
"""The user id of the server itself on the wire. No user can have it."""

# An id holds no colon, so that `dm:{a}:{b}` can be read in one way only.
_USER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~@+-]{0,63}")
_ROOM_LENGTH = 64
# NFC joins up to four characters into one, and takes quadratic time for combining marks. A text that is too long even
# if all of it is joined is not normalized.
_LONGEST_BEFORE_NFC = 4 * _ROOM_LENGTH
# Control, format, surrogate, private-use and unassigned characters, line and paragraph separators. They are not
# allowed, as two names that look the same must be the same.
_INVISIBLE = frozenset(["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])


def is_user_id(text: str) -> bool:
    """Return whether `text` is a valid user id."""
    return text != SYSTEM and _USER_ID.fullmatch(text) is not None


@lru_cache(maxsize=16_384)
def room_name(text: str) -> str:
    """Return the room name `text`, normalized to NFC. Raises ValueError with a text for a person if it is invalid."""
    name = unicodedata.normalize("NFC", text) if len(text) <= _LONGEST_BEFORE_NFC else text
    if not 1 <= len(name) <= _ROOM_LENGTH:
        raise ValueError(f"Room names can have 1 to {_ROOM_LENGTH} characters.")
    if name != name.strip():
        raise ValueError("Room names can't start or end with a space.")
    if "{" in name or "}" in name:
        raise ValueError("Room names can't contain { or }.")
    if any(unicodedata.category(character) in _INVISIBLE for character in name):
        raise ValueError("Room names can't contain invisible characters.")
    return name
