"""How often one socket may send chat's requests. docs/protocol.md lists the same rates."""

from aleatoria.wire.limits import Rate

MESSAGE = Rate("message", 10, 20)
JOIN = Rate("join", 5, 20)
HISTORY = Rate("history", 5, 20)
TYPING = Rate("typing", 5, 10)
