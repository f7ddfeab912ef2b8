"""The receivers in this process and the groups they are in."""

from collections.abc import Iterable

from aleatoria.telemetry import metrics
from aleatoria.valkey.channel import Channel
from aleatoria.valkey.events import FRAME, Event

_DELIVERIES = metrics.Counter(
    "aleatoria_deliveries", "Broadcasts and direct messages handed to local sockets, once a socket."
)


class Receivers:
    """Channels by the names that the layer gives them, groups by the names of their pub/sub channels."""

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}
        self._groups: dict[bytes, dict[str, Channel]] = {}

    def open(self, channel: str) -> Channel:
        """The channel of this name, made if there is none."""
        return self.channels.setdefault(channel, Channel())

    def close(self, channel: str) -> list[bytes]:
        """Deliver nothing more to a channel and forget it; returns the groups that are empty now."""
        closed = self.channels.pop(channel, None)
        if closed is None:
            return []
        closed.close()
        return [group for group in closed.groups if self._remove(group, channel)]

    def join(self, channel: str, groups: Iterable[bytes]) -> None:
        """Put a channel into groups."""
        member = self.channels[channel]
        for group in groups:
            self._groups.setdefault(group, {})[channel] = member
            member.groups.add(group)

    def leave(self, channel: str, group: bytes) -> bool:
        """Take a channel out of a group; whether the group is empty now."""
        if channel in self.channels:
            self.channels[channel].groups.discard(group)
        return self._remove(group, channel)

    def _remove(self, group: bytes, channel: str) -> bool:
        members = self._groups.get(group)
        if members is None:
            return False
        members.pop(channel, None)
        if members:
            return False
        del self._groups[group]
        return True

    def has_members(self, group: bytes) -> bool:
        """Whether a channel in this process is in the group."""
        return group in self._groups

    def deliver(self, group: bytes, event: Event) -> None:
        """Hand an event to all members of a group: a finished frame straight to each socket whose server takes it."""
        members = list(self._groups.get(group, {}).values())
        if event["type"] == FRAME:
            _DELIVERIES.count += len(members)
            text = event["text"]
            for channel in members:
                # A frame does not overtake what waits in the backlog.
                if channel.write is None or channel.task is not None or not channel.write(text):
                    channel.hand(event)
            return
        for channel in members:
            channel.hand(event)
