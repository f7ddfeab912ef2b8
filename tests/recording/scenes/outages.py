"""Valkey refuses to write, dies, and comes back."""

import asyncio

from tests.recording.client import Client
from tests.recording.scenes.steps import OFFER, REQUEST, goodbye, meet
from tests.recording.stage import Stage


async def a_full_valkey(stage: Stage) -> None:
    stage.heading("Valkey refuses to write")
    host = stage.lenient
    fay = await host.enters("fay", room="vault")
    fox = await host.enters("fox", room="vault")
    await fay.sends('{"type": "hello", "payload": {"events": ["status", "presence"]}}')
    await fay.sends('{"type": "chat_message", "room": "vault", "messageId": "q-1", "payload": {"content": "Kept"}}')
    await fay.sends('{"type": "chat_message", "toUser": "fox", "messageId": "q-2", "payload": {"content": "Kept too"}}')
    stage.happens("Valkey is full")
    stage.valkey.client.config_set("maxmemory", "1")
    await fay.hears()
    await fox.sends('{"type": "chat_message", "room": "vault", "messageId": "q-3", "payload": {"content": "Not kept"}}')
    await fox.sends('{"type": "chat_message", "toUser": "fay", "messageId": "q-4", "payload": {"content": "Nor this"}}')
    await fay.sends('{"type": "get_recent_messages", "room": "vault"}')
    await fay.sends('{"type": "get_direct_messages", "payload": {"withUser": "fox"}}')
    await fay.sends('{"type": "hello", "payload": {"events": ["status"]}}')
    await fay.sends('{"type": "join_room", "room": "cellar"}')
    stage.happens("Valkey has room again")
    stage.valkey.client.config_set("maxmemory", "0")
    await fay.hears()
    await fay.sends(
        '{"type": "chat_message", "room": "vault", "messageId": "q-5", "payload": {"content": "Kept again"}}'
    )
    await fay.sends('{"type": "get_recent_messages", "room": "vault"}')
    await fay.sends('{"type": "get_rooms"}')
    await goodbye(fay, fox)


async def an_outage(stage: Stage) -> None:
    stage.heading("Valkey dies")
    host = stage.lenient
    gus = await host.enters("gus", room="bunker")
    gil = await host.enters("gil", room="bunker")
    ged = await host.enters("ged", path="/ws/matchmaking")
    await gus.sends('{"type": "hello", "payload": {"events": ["status", "typing", "presence"]}}')
    await ged.sends('{"type": "hello", "payload": {"events": ["status"]}}')
    await gus.sends('{"type": "chat_message", "room": "bunker", "messageId": "g-1", "payload": {"content": "Kept"}}')
    await gus.sends('{"type": "chat_message", "toUser": "gil", "messageId": "g-2", "payload": {"content": "Kept too"}}')
    await meet(ged, gil)
    stage.happens("Valkey is killed")
    stage.valkey.kill()
    await both_hear(gus, ged)
    for frame in [
        '{"type": "hello", "payload": {"events": ["status", "typing", "presence"]}}',
        '{"type": "chat_message", "room": "bunker", "messageId": "g-3", "payload": {"content": "Not kept"}}',
        '{"type": "chat_message", "room": "bunker", "messageId": "g-3", "payload": {"content": "Not kept"}}',
        '{"type": "chat_message", "toUser": "gil", "messageId": "g-4", "payload": {"content": "Nor this"}}',
        '{"type": "get_recent_messages", "room": "bunker", "messageId": "g-5"}',
        '{"type": "get_direct_messages", "payload": {"withUser": "gil"}}',
        '{"type": "get_conversations"}',
        '{"type": "mark_read", "payload": {"withUser": "gil"}}',
        '{"type": "get_members", "room": "bunker"}',
        '{"type": "join_room", "room": "shelter"}',
        '{"type": "get_rooms"}',
        '{"type": "leave_room", "room": "shelter"}',
        '{"type": "join_room", "room": "tunnel"}',
        '{"type": "join_room", "room": "a third room"}',
        '{"type": "join_room", "room": "a fourth room"}',
        '{"type": "join_room", "room": "a fifth room"}',
    ]:
        await gus.sends(frame)
    await gil.sends('{"type": "typing", "room": "bunker"}')
    await ged.sends(OFFER % "gil")
    await ged.sends('{"type": "request_random_peer", "payload": {"currentPeerId": "gil"}}')
    await gil.sends(REQUEST)
    await host.asks("GET", "/health")
    await host.asks("GET", "/ready")
    guy = await host.enters("guy", room="bunker")
    await guy.sends('{"type": "get_rooms"}')

    stage.heading("Valkey is back")
    stage.happens("Valkey is started")
    await asyncio.to_thread(stage.valkey.start)
    await both_hear(gus, ged)
    await gus.sends(
        '{"type": "chat_message", "room": "bunker", "messageId": "g-6", "payload": {"content": "Kept again"}}'
    )
    await gus.sends('{"type": "get_recent_messages", "room": "bunker"}')
    await gus.sends('{"type": "get_direct_messages", "payload": {"withUser": "gil"}}')
    await gus.sends('{"type": "get_conversations"}')
    await gus.sends('{"type": "get_rooms"}')
    await guy.sends('{"type": "get_rooms"}')
    await ged.sends(OFFER % "gil")
    await gil.sends(REQUEST)
    await gil.sends('{"type": "hangup", "toUser": "ged"}')
    await host.asks("GET", "/ready")
    await goodbye(gus, gil, ged, guy)


async def both_hear(one: Client, other: Client) -> None:
    """Two clients hear the news of Valkey, in whichever order."""
    await one.waits()
    await other.waits()
    await one.hears(0)
