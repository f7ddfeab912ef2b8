"""The node of the test process."""

from aleatoria import node
from aleatoria.node import Node
from aleatoria.valkey.link import Link


def here() -> Node:
    """The node that `tab` connects to."""
    return node.current()


def link() -> Link:
    """Its link to Valkey."""
    return here().link
