"""The chat of the Channels tutorial, as a competent Django user would go on from there.

AsyncWebsocketConsumer, `group_send` of an event a message and a `chat_message` handler that sends it, as the tutorial
has it; hiredis, one shared client of redis.asyncio whose pool lets callers wait for a connection, and one pipeline a
message to keep it, as the documentation of redis-py recommends.
"""

import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qs

import redis.asyncio as redis
from channels.generic.websocket import AsyncWebsocketConsumer

from benchmarks.peers.tutorial.settings import VALKEY_URL

DAY = 24 * 3600
valkey = redis.Redis(connection_pool=redis.BlockingConnectionPool.from_url(VALKEY_URL))


class ChatConsumer(AsyncWebsocketConsumer):  # type: ignore[misc] # Channels has no annotations
    """One socket of a user in one room."""

    async def connect(self) -> None:
        query = parse_qs(self.scope["query_string"].decode())
        self.user, self.room = query["userId"][0], query["room"][0]
        self.room_group, self.user_group = f"chat_{self.room}", f"user_{self.user}"
        await self.channel_layer.group_add(self.room_group, self.channel_name)
        await self.channel_layer.group_add(self.user_group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.room_group, self.channel_name)
        await self.channel_layer.group_discard(self.user_group, self.channel_name)

    async def receive(self, text_data: str = "", bytes_data: bytes = b"") -> None:
        asked = json.loads(text_data)
        if asked["type"] == "get_recent_messages" and asked["room"] == self.room:
            await self.recall(asked["payload"]["limit"])
        elif asked["type"] == "chat_message" and "toUser" in asked:
            await self.say_directly(asked["toUser"], asked["payload"])
        elif asked["type"] == "chat_message" and asked["room"] == self.room:
            await self.say_in_room(asked["payload"])

    async def say_in_room(self, payload: dict[str, Any]) -> None:
        """Keep it for a day and tell everybody in the room."""
        message = self.stamped({"room": self.room, "payload": payload})
        key, now = f"room:messages:{self.room}", time.time()
        pipeline = valkey.pipeline(transaction=False)
        pipeline.zadd(key, {json.dumps(message): now})
        pipeline.expire(key, DAY)
        pipeline.zremrangebyscore(key, "-inf", f"({now - DAY}")
        await pipeline.execute()
        await self.channel_layer.group_send(self.room_group, {"type": "chat.message", "message": message})

    async def say_directly(self, recipient: str, payload: dict[str, Any]) -> None:
        """Keep it for a day and tell the two."""
        message = self.stamped({"toUser": recipient, "payload": payload})
        key = "dm:{}:{}".format(*sorted([self.user, recipient]))
        pipeline = valkey.pipeline(transaction=False)
        pipeline.rpush(key, json.dumps(message))
        pipeline.expire(key, DAY)
        await pipeline.execute()
        for group in (f"user_{recipient}", self.user_group):
            await self.channel_layer.group_send(group, {"type": "chat.message", "message": message})

    async def recall(self, limit: int) -> None:
        """The last messages of the room, the newest first."""
        lines = cast("list[bytes]", await valkey.zrevrange(f"room:messages:{self.room}", 0, limit - 1))
        messages = [json.loads(line) for line in lines]
        await self.send(text_data=json.dumps({"type": "recent_messages", "room": self.room, "messages": messages}))

    async def chat_message(self, event: dict[str, Any]) -> None:
        """Somebody said something."""
        await self.send(text_data=json.dumps(event["message"]))

    def stamped(self, fields: dict[str, Any]) -> dict[str, Any]:
        """A message as it is kept and sent: what the client may not say, the server says."""
        return {
            "type": "chat_message",
            "fromUser": self.user,
            **fields,
            "messageId": str(uuid.uuid4()),
            "createTime": datetime.now(UTC).isoformat(),
        }
