"""The people who are connected to one process, and what it does for all of them."""

from collections.abc import Iterable

from aleatoria.telemetry import metrics
from aleatoria.wire import envelope, groups
from aleatoria.wire.host import Host
from chat import payloads
from chat.services import ChatServices

PRESENCE, TYPING = "presence", "typing"
WATCHED = (PRESENCE, TYPING)
"""What of a room's people a `hello` can ask for."""
_ROOMS = metrics.Gauge("aleatoria_rooms", "Rooms that somebody who is connected here is in.", fact="rooms")


class Person:
    """A socket that speaks chat, as the others see it: whose it is, and the rooms they are in."""

    user_id: str
    rooms: set[str]


class People:
    """The sockets of one process that speak chat."""

    def __init__(self, host: Host, chat: ChatServices) -> None:
        self.chat = chat
        self._host = host
        self._tabs: dict[str, set[Person]] = {}
        """By user, their sockets here."""
        _ROOMS.read = lambda: len(set().union(*(rooms for _, rooms in self.present())))

    def connected(self) -> list[Person]:
        """The open sockets that speak chat."""
        return [socket for socket in self._host.sockets if isinstance(socket, Person)]

    def present(self) -> list[tuple[str, set[str]]]:
        """The connected users with their rooms, once a socket."""
        return [(person.user_id, person.rooms) for person in self.connected()]

    def members_here(self, room: str) -> list[tuple[str, bool]]:
        """The members of a room who are connected here, all of them online: all that is known while Valkey is away."""
        return sorted({(person.user_id, True) for person in self.connected() if room in person.rooms})

    def come(self, person: Person) -> None:
        """Take note of a new socket."""
        self._tabs.setdefault(person.user_id, set()).add(person)

    def go(self, person: Person) -> None:
        """Take note of a socket's end; its user's last one here ends their presence, unless another process has one."""
        tabs = self._tabs.get(person.user_id, set())
        tabs.discard(person)
        if not tabs:
            self._tabs.pop(person.user_id, None)
            self.chat.presences.close(user=person.user_id)

    async def tell_status(self, user: str, status: str, rooms: Iterable[str]) -> None:
        """Tell those who share these rooms with a user, and have asked, that the user is `online` or `offline` now."""
        shared = sorted(rooms)
        frame = envelope.encode(payloads.user_status(user, status))
        for room in shared:
            event = {"type": "people.status", "user": user, "rooms": shared, "room": room, "text": frame}
            await self._host.layer.group_send(groups.room_watchers(PRESENCE, room), event)

    async def renew_memberships(self) -> None:
        """Renew the memberships of those who are connected here."""
        await self.chat.memberships.renew(self.present())

    async def renew_presence(self) -> None:
        """Count those who are connected here as online, and tell of those who were taken for offline.

        That happens to a process that stood still for too long.
        """
        for user in await self.chat.presences.renew(self._users()):
            await self.tell_status(user, "online", await self.chat.memberships.rooms_of(user=user))

    async def sweep_presence(self) -> None:
        """Tell of those whose time is up that they are offline."""
        for user in await self.chat.presences.sweep():
            await self.tell_status(user, "offline", await self.chat.memberships.rooms_of(user=user))

    def remember(self) -> None:
        """Take note of everybody's rooms: an outage begins."""
        self.chat.memberships.remember(self.present())

    async def write_back(self) -> None:
        """Write to Valkey, after an outage, who joined and left rooms meanwhile and who is online here."""
        await self.chat.memberships.write_back()
        self.chat.presences.write_back(self._users())

    def _users(self) -> set[str]:
        return {person.user_id for person in self.connected()}
