"""The admin site of this process."""

from aleatoria import node
from aleatoria.operators.console import ConsoleSite
from aleatoria.valkey.link import Link


class Site(ConsoleSite):
    """The site, on the link of this process's node."""

    @property
    def link(self) -> Link:
        return node.current().link
