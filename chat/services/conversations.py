"""A user's direct conversations, and what they have read of them."""

import asyncio

from aleatoria.valkey.link import Link
from aleatoria.valkey.pipeline import Unavailable
from aleatoria.wire import clock
from chat.services.messages import READ_WITHIN
from chat.store.conversations import Conversation, Conversations


class ConversationList:
    """The list of a user's conversations."""

    def __init__(self, link: Link) -> None:
        self._conversations = Conversations(link)

    async def of(self, *, user: str) -> list[Conversation] | None:
        """With whom a user has conversations, the newest first; None while Valkey is away."""
        try:
            return await asyncio.wait_for(self._conversations.of(user), READ_WITHIN)
        except (Unavailable, TimeoutError):
            return None

    def mark_read(self, *, user: str, other: str) -> None:
        """Mark as read what `other` has written to the user until now."""
        self._conversations.mark_read(user, other, clock.text(clock.now()))
