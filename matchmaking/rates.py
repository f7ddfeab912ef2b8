"""How often one socket may send matchmaking's requests. docs/protocol.md lists the same rates."""

from aleatoria.wire.limits import Rate

REQUEST = Rate("request", 2, 5)
DESCRIPTION = Rate("description", 5, 5)
CANDIDATE = Rate("candidate", 50, 50)
