"""Chat on a socket."""

from chat.consumers.messages import MessagesConsumer
from chat.consumers.people import PeopleConsumer


class ChatConsumer(MessagesConsumer, PeopleConsumer):
    """One socket of a user that speaks all of chat."""
