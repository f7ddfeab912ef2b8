"""The families of keys that the chat keeps in Valkey. Commands know only the families that are listed here.

`aleatoria/catalog.py` adds those of the other apps. `chat/audit.py` has the rules between keys.
"""

from chat.store import conversations, direct_history, membership, presence, repeats, room_history

FAMILIES = (
    room_history.PREFIX,
    direct_history.PREFIX,
    membership.MEMBERS,
    membership.ROOMS,
    direct_history.CONVERSATIONS,
    conversations.READ,
    repeats.KEY,
    presence.KEY,
)
"""Their prefixes, in the order of docs/operations.md."""
