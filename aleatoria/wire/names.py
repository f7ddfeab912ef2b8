"""Which user ids and room names exist: the grammar of protocol §1, in one place."""

import re
import unicodedata
from functools import lru_cache

SYSTEM = "system"
"""Who the server itself is on the wire; nobody can be called so."""

# No colon: `dm:{a}:{b}` must be readable in one way only.
_USER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~@+-]{0,63}")
_ROOM_LENGTH = 64
# NFC makes one character of four at most, and takes quadratic time over combining marks: a longer text stays as it is.
_LONGEST_BEFORE_NFC = 4 * _ROOM_LENGTH
# Control, format, surrogate, private-use and unassigned characters, line and paragraph separators:
# two names that look the same must be the same.
_INVISIBLE = frozenset(["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])


def is_user_id(text: str) -> bool:
    """Whether `text` may name a user."""
    return text != SYSTEM and _USER_ID.fullmatch(text) is not None


@lru_cache(maxsize=16_384)
def room_name(text: str) -> str:
    """The room that `text` names, NFC-normalised; ValueError, with a text for a person, when it names none."""
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
