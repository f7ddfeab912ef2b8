"""Rooms, and messages to rooms and to users."""

from tests.recording.scenes.steps import goodbye
from tests.recording.stage import Stage


async def rooms(stage: Stage) -> None:
    stage.heading("Rooms")
    host = stage.lenient
    ana = await host.enters("ana", room="attic")
    bob = await host.enters("bob", room="attic")
    await ana.sends('{"type": "join_room", "room": "kitchen"}')
    await ana.sends('{"type": "join_room", "room": "kitchen", "messageId": "r-1", "payload": {"any": 1}}')
    await ana.sends('{"type": "join_room", "room": "cafe\\u0301"}')
    await ana.sends('{"type": "get_rooms"}')
    await ana.sends('{"type": "join_room", "room": "a fourth room"}')
    await ana.sends('{"type": "join_room", "room": "a fifth room", "messageId": "r-2"}')
    await ana.sends('{"type": "join_room", "room": "a fifth room"}')
    await ana.sends('{"type": "leave_room", "room": "caf\\u00e9"}')
    await ana.sends('{"type": "leave_room", "room": "cellar"}')
    await ana.sends('{"type": "get_rooms", "room": "cellar", "payload": {}}')
    await ana.sends('{"type": "chat_message", "room": "cellar", "messageId": "r-3", "payload": {"content": "hm"}}')
    await ana.sends('{"type": "get_recent_messages", "room": "cellar", "messageId": "r-4"}')
    await ana.sends('{"type": "get_members", "room": "cellar", "messageId": "r-5"}')
    await ana.sends('{"type": "typing", "room": "cellar", "messageId": "r-6"}')

    stage.heading("Names that no room can have")
    names = ["", " attic", "{attic}", "a\\u0000b", "a\\u200bb", "a\\u2028b", "a" * 65]
    for name in names:
        await ana.sends(f'{{"type": "join_room", "room": "{name}", "messageId": "r-7"}}')
    await ana.sends('{"type": "leave_room", "messageId": "r-8"}')
    await ana.sends('{"type": "get_members", "messageId": "r-9"}')
    await ana.sends('{"type": "get_recent_messages", "messageId": "r-10"}')
    await ana.sends('{"type": "join_room", "room": "küche <&> \\"zwei\\" \\ud83c\\udf72"}')
    await ana.sends('{"type": "leave_room", "room": "küche <&> \\"zwei\\" \\ud83c\\udf72"}')

    stage.heading("A room that is joined in one tab is joined in all")
    other = await host.enters("ana'")
    await other.sends('{"type": "get_rooms"}')
    await other.sends('{"type": "join_room", "room": "garden"}')
    await ana.sends('{"type": "get_rooms"}')
    await ana.sends('{"type": "leave_room", "room": "garden"}')
    await other.sends('{"type": "get_rooms"}')
    await bob.sends('{"type": "chat_message", "room": "attic", "messageId": "r-11", "payload": {"content": "Both?"}}')
    await bob.sends('{"type": "chat_message", "toUser": "ana", "messageId": "r-12", "payload": {"content": "Both."}}')
    await other.sends('{"type": "chat_message", "toUser": "bob", "messageId": "r-13", "payload": {"content": "Yes."}}')
    await other.sends('{"type": "join_room", "room": "garden"}')
    await other.closes()

    stage.heading("Who is in as many rooms as they may be is told so when they connect to another")
    again = await host.enters("ana'", room="a%20fifth%20room")
    await again.sends('{"type": "get_rooms"}')
    await goodbye(again, bob, ana)


async def messages(stage: Stage) -> None:
    stage.heading("Messages in a room")
    host = stage.lenient
    cleo = await host.enters("cleo", room="salon")
    carl = await host.enters("carl", room="salon")
    cora = await host.enters("cora", room="elsewhere")
    for frame in [
        '{"type": "chat_message", "room": "salon", "messageId": "m-1", "payload": {"content": "Anybody?", "mood": "curious"}}',
        '{"type":"chat_message","room":"salon","payload":{"content":"Without an id, without spaces"}}',
        '{"payload": {"content": "Another order"}, "messageId": "m-2", "room": "salon", "type": "chat_message"}',
        ' { "type" : "chat_message" , "room" : "salon" , "messageId" : "m-3" , "payload" : { "content" : "Wide" } } \n',
        '{"type": "chat_message", "room": "salon", "messageId": "m-4", "payload": {"content": "f\\u00fcr, für, \\ud83d\\ude00 and 😀, \\n, \\u0007, \\/ and /"}}',
        '{"type": "chat_message", "room": "salon", "messageId": "m-5", "payload": {"content": "1", "numbers": [1, 1.0, 1e5, -0, 12345678901234567890, true, null, {}]}}',
        '{"type": "chat_message", "room": "salon", "messageId": "m-6", "payload": {"content": "\\"payload\\": \\",\\"payload\\":"}}',
        '{"type": "chat_message", "room": "salon", "messageId": "m \\"7\\" \\u00fc", "payload": {"content": "A strange id"}}',
        f'{{"type": "chat_message", "room": "salon", "messageId": "{"8" * 64}", "payload": {{"content": "A long id"}}}}',
        '{"type": "chat_message", "room": "salon", "messageId": "", "payload": {"content": "An empty id"}}',
        '{"type": "chat_message", "room": "salon", "messageId": "m-9", "fromUser": "carl", "createTime": "2001-01-01T00:00:00.000000Z", "incoming": true, "payload": {"content": "Whose?"}}',
        '{"type": "chat_message", "room": "salon", "messageId": "m-10", "toUser": null, "fromUser": null, "createTime": null, "incoming": null, "payload": {"content": "Nulls"}}',
        '{"type": "chat_message", "room": "salon", "messageId": "m-11", "unknown": {"a": [1]}, "from_user": "carl", "message_id": "x", "create_time": "x", "payload": {"content": "Fields that do not exist"}}',
        f'{{"type": "chat_message", "room": "salon", "messageId": "m-12", "payload": {{"content": "{"x" * 4000}"}}}}',
        f'{{"type": "chat_message", "room": "salon", "messageId": "m-13", "payload": {{"content": "{"ü" * 4000}"}}}}',
        '{"type": "chat_message", "room": "salon", "messageId": "m-14", "payload": {"content": "first", "content": "last"}}',
        '{"type": "chat_message", "room": "elsewhere", "room": "salon", "messageId": "m-15", "payload": {"content": "Which room?"}}',
        '{"type": "chat_message", "room": "salon", "messageId": "m-16", "payload": {"content": "no"}, "payload": {"content": "Which payload?"}}',
    ]:
        await cleo.sends(frame)

    stage.heading("Messages that say nothing, or too much")
    for payload in [
        "{}", "null", '{"content": ""}', '{"content": null}', '{"content": 1}', '{"content": ["a"]}',
        '{"Content": "a"}', f'{{"content": "{"x" * 4001}"}}',
    ]:  # fmt: skip
        await cleo.sends(f'{{"type": "chat_message", "room": "salon", "messageId": "m-17", "payload": {payload}}}')
    await cleo.sends('{"type": "chat_message", "room": "salon", "messageId": "m-18"}')
    await goodbye(cleo, carl, cora)


async def addresses(stage: Stage) -> None:
    stage.heading("Messages to a user")
    host = stage.lenient
    mia = await host.enters("mia", room="porch")
    tab = await host.enters("mia'")
    max_ = await host.enters("max", room="porch")
    for frame in [
        '{"type": "chat_message", "toUser": "max", "messageId": "d-1", "payload": {"content": "Hello, Max."}}',
        '{"type": "chat_message", "toUser": "max", "payload": {"content": "Without an id"}}',
        '{"type": "chat_message", "toUser": "max", "messageId": "d-2", "incoming": true, "payload": { "content":"Wide",  "payload": {} }}',
        '{"type": "chat_message", "toUser": "mia", "messageId": "d-3", "payload": {"content": "To myself"}}',
        '{"type": "chat_message", "toUser": "absent", "messageId": "d-4", "payload": {"content": "Nobody is here"}}',
        '{"type": "chat_message", "toUser": "max", "room": "porch", "messageId": "d-5", "payload": {"content": "Both"}}',
        '{"type": "chat_message", "toUser": "", "room": "", "messageId": "d-6", "payload": {"content": "Neither"}}',
        '{"type": "chat_message", "to_user": "max", "messageId": "d-7", "payload": {"content": "In snake case"}}',
        '{"type": "chat_message", "toUser": "system", "messageId": "d-8", "payload": {"content": "To the system"}}',
        '{"type": "chat_message", "toUser": "a b", "messageId": "d-9", "payload": {"content": "To no user"}}',
        f'{{"type": "chat_message", "toUser": "max", "messageId": "{"d" * 65}", "payload": {{"content": "A long id"}}}}',
    ]:
        await mia.sends(frame)
    await goodbye(mia, tab, max_)


async def repeats(stage: Stage) -> None:
    stage.heading("The same message again")
    host = stage.lenient
    rob = await host.enters("rob", room="echo")
    tab = await host.enters("rob'", room="echo")
    ria = await host.enters("ria", room="echo")
    in_room = '{"type": "chat_message", "room": "echo", "messageId": "e-1", "payload": {"content": "Anybody?"}}'
    directly = '{"type": "chat_message", "toUser": "ria", "messageId": "e-2", "payload": {"content": "Only you."}}'
    for frame in (in_room, directly):
        for client in (rob, rob, tab):
            await client.sends(frame)
    await rob.sends(
        '{"type": "chat_message", "room": "echo", "messageId": "e-1", "payload": {"content": "Something else"}}'
    )
    await rob.sends('{"type": "chat_message", "room": "echo", "messageId": "e-1", "payload":  {"content": "Anybody?"}}')
    await rob.sends(
        '{"type": "chat_message", "toUser": "rob", "messageId": "e-2", "payload": {"content": "Only you."}}'
    )
    await ria.sends(in_room)
    await goodbye(rob, tab, ria)
