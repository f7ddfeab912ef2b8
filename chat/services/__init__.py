"""What chat keeps: messages for a day, memberships, presence. Knows nothing of sockets."""

from aleatoria.valkey.link import Link
from chat.services.conversations import ConversationList
from chat.services.memberships import Memberships
from chat.services.messages import Messages
from chat.services.presence import Presences
from chat.services.sweep import Sweep


class ChatServices:
    """The services of one process, on its link to Valkey."""

    def __init__(self, link: Link) -> None:
        self.messages = Messages(link)
        self.memberships = Memberships(link)
        self.presences = Presences(link)
        self.conversations = ConversationList(link)
        self.sweep = Sweep(link)
