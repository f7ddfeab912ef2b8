"""What the sockets of one process share."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from aleatoria.telemetry import metrics
from aleatoria.valkey.layer import ChannelLayer
from aleatoria.valkey.link import Link
from aleatoria.wire.chores import Chores

_DEGRADED = metrics.Gauge("aleatoria_degraded", "1 while Valkey is away, or refuses writes; else 0.")
_SOCKETS = metrics.Gauge("aleatoria_sockets", "Open sockets.", fact="sockets")
_USERS = metrics.Gauge("aleatoria_users", "Users with an open socket.", fact="users")


class OpenSocket(Protocol):
    """A socket as its host sees it."""

    user_id: str

    def say_status(self, payload: dict[str, bool]) -> None:
        """Send a `server_status` with this payload, if the client has asked for it."""


class Host:
    """The link to Valkey, the channel layer, the chores and the open sockets of one process."""

    def __init__(self, link: Link, layer: ChannelLayer, chores: Chores) -> None:
        self.link = link
        self.layer = layer
        self.chores = chores
        self.sockets: set[OpenSocket] = set()
        """The sockets that are open in this process."""
        self.before_scrape: list[Callable[[], Awaitable[None]]] = []
        """Awaited before the gauges are read: a gauge that has to ask Valkey is refreshed here."""
        self.greetings: list[Callable[[], dict[str, object]]] = []
        """What each app adds to every `welcome`, in the order of the fields."""
        _DEGRADED.read = lambda: link.health.degraded
        _SOCKETS.read = lambda: len(self.sockets)
        _USERS.read = lambda: len({one.user_id for one in self.sockets})

    async def start(self) -> None:
        """Start the chores and the watchdog, unless they run; returns when Valkey's state is known, or soon."""
        self.chores.start()
        await self.link.start()

    def say_degraded(self) -> None:
        """Tell the clients that asked for it that an outage has begun."""
        self._say({"degraded": True})

    async def say_recovered(self) -> None:
        """Tell the clients that asked for it that the outage is over, and that they may have missed something."""
        self._say({"degraded": False, "gap": True})

    def _say(self, payload: dict[str, bool]) -> None:
        for one in self.sockets:
            one.say_status(payload)
