"""A fault of the server, a client that reads too slowly, a purge, and the end of the server."""

import asyncio

from tests.recording.scenes.steps import goodbye, meet
from tests.recording.stage import Stage


async def a_fault_of_the_server(stage: Stage) -> None:
    stage.heading("A fault of the server")
    host = stage.lenient
    ida = await host.enters("ida", room="cursed")
    stage.happens("the key of a room's history holds something else")
    stage.valkey.client.set("room:messages:cursed", "no sorted set")
    await ida.sends('{"type": "get_recent_messages", "room": "cursed", "messageId": "i-1"}')
    await ida.sends('{"type": "get_recent_messages", "room": "cursed"}')
    stage.happens("the key is gone")
    stage.valkey.client.delete("room:messages:cursed")
    await ida.sends('{"type": "get_recent_messages", "room": "cursed", "messageId": "i-2"}')
    await goodbye(ida)


async def a_slow_reader(stage: Stage) -> None:
    stage.heading("A client that reads too slowly")
    host = stage.lenient
    sue = await host.enters("sue", room="river")
    sloth = await host.enters("sloth", room="river")
    frame = '{"type": "chat_message", "room": "river", "payload": {"content": "%s", "more": "%s"}}'
    # Buffers of the system have room for megabytes. Then daphne's bound is a number of bytes, and uvicorn's one of events.
    large, small = frame % ("large", "x" * 65_000), frame % ("small", "")
    await sloth.reads_late(sue, [*[[large] * 10] * 12, *[[small] * 60] * 20])
    await goodbye(sue)


async def a_purge(stage: Stage) -> None:
    stage.heading("An operator purges a user")
    host = stage.lenient
    zoe = await host.enters("zoe", room="zoo")
    tab = await host.enters("zoe'", path="/ws/matchmaking")
    zac = await host.enters("zac", room="zoo")
    await zoe.sends('{"type": "chat_message", "room": "zoo", "messageId": "z-1", "payload": {"content": "Mine"}}')
    await zac.sends('{"type": "chat_message", "room": "zoo", "messageId": "z-2", "payload": {"content": "Not theirs"}}')
    await zac.sends('{"type": "chat_message", "toUser": "zoe", "messageId": "z-3", "payload": {"content": "Ours"}}')
    await meet(zac, tab)
    await stage.manages("purge", "user", "zoe", "--yes")
    await zoe.is_closed()
    await tab.is_closed()
    await zac.hears()
    await zac.sends('{"type": "get_recent_messages", "room": "zoo"}')
    await zac.sends('{"type": "get_direct_messages", "payload": {"withUser": "zoe"}}')
    await zac.sends('{"type": "get_members", "room": "zoo"}')
    await zac.sends('{"type": "get_conversations"}')
    await goodbye(zac)


async def the_end(stage: Stage) -> None:
    stage.heading("The server stops")
    host = stage.lenient
    hal = await host.enters("hal", room="exit")
    hob = await host.enters("hob", path="/ws/matchmaking")
    hub = await host.enters("hub", path="/ws/chat", room="exit")
    stage.happens("SIGTERM")
    await asyncio.to_thread(host.process.stop)
    for client in (hal, hob, hub):
        await client.is_closed()
