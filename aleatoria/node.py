"""The composition root: everything that one process of the server consists of, made and connected in a written order.

Importing a module registers nothing. A node is made when a server, a view or a test asks for it; until then there is no
connection, hook, chore or store.
"""

from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers

import chat.install
import matchmaking.install
from aleatoria.operators.totals import FLUSH_EVERY, Totals
from aleatoria.valkey.address import Address
from aleatoria.valkey.layer import ChannelLayer
from aleatoria.valkey.link import Link
from aleatoria.wire.chores import Chores
from aleatoria.wire.host import Host


class Node(Host):
    """One process of the server, on the Valkey at `address`."""

    def __init__(self, address: Address | None = None) -> None:
        # Hooks are called in the order in which they are registered below, chores started in theirs.
        # The link itself is the first to hear that Valkey is down: it fails what is under way.
        link = Link(address or Address.configured())
        # The layer is the second: what is under way will not be heard any more.
        super().__init__(link, ChannelLayer(link), Chores())
        self.totals = Totals(link)
        self.chores.every(FLUSH_EVERY, self.totals.flush)
        # The apps take note of what their users are doing when an outage begins, and write it back when it is over.
        self.people = chat.install.install(self)
        self.callers = matchmaking.install.install(self)
        # Clients are told last: what they then ask for has been written back.
        link.health.on_lost.append(self.say_degraded)
        link.health.on_back.append(self.say_recovered)

    async def stop(self) -> None:
        """End everything, in the reverse order of the start; `start` begins anew."""
        await self.totals.flush()
        await self.chores.stop()
        await self.link.stop()


_current: Node | None = None


def current() -> Node:
    """The node of this process, made when it is asked for first."""
    return _current or use(Node())


def use(node: Node) -> Node:
    """Let `node` be the one of this process."""
    global _current
    _current = node
    channel_layers.set(DEFAULT_CHANNEL_LAYER, node.layer)
    return node


def channel_layer() -> ChannelLayer:
    """The backend that CHANNEL_LAYERS names: the layer of this process's node."""
    return current().layer
