"""Who is online, who is typing, and what is unread."""

from tests.recording.scenes.steps import goodbye
from tests.recording.stage import Stage


async def people(stage: Stage) -> None:
    stage.heading("Who is there, who comes and goes, who is typing")
    host = stage.lenient
    una = await host.enters("una", room="plaza")
    uli = await host.enters("uli", path="/ws/chat", room="plaza")
    ute = await host.enters("ute", room="plaza")
    await una.sends('{"type": "hello", "payload": {"events": ["presence", "typing", "status", "unheard of"]}}')
    await uli.sends('{"type": "hello", "messageId": "u-1", "payload": {"events": ["typing"]}}')
    for payload in ["{}", "null", '{"events": null}', '{"events": []}', '{"events": "typing"}', '{"events": [1]}']:
        await ute.sends(f'{{"type": "hello", "messageId": "u-2", "payload": {payload}}}')
    uwe = await host.enters("uwe", room="plaza")
    await uwe.sends('{"type": "join_room", "room": "market"}')
    await una.sends('{"type": "join_room", "room": "market"}')
    await ute.sends('{"type": "join_room", "room": "market"}')
    await ute.sends('{"type": "join_room", "room": "market"}')
    await una.sends('{"type": "get_members", "room": "plaza"}')
    await una.sends('{"type": "get_members", "room": "market", "messageId": "u-3", "payload": {"any": 1}}')
    await ute.sends('{"type": "typing", "room": "plaza"}')
    await ute.sends('{"type": "typing", "room": "market", "messageId": "u-4", "payload": { "any":  [1] }}')
    await una.sends('{"type": "typing", "toUser": "uli"}')
    await una.sends('{"type": "typing", "toUser": "ute"}')
    await una.sends('{"type": "typing", "toUser": "una"}')
    await una.sends('{"type": "typing", "messageId": "u-5"}')
    await una.sends('{"type": "typing", "room": "plaza", "toUser": "uli", "messageId": "u-6"}')
    await uwe.closes()
    await stage.time_is_up_for("uwe")
    await una.hears()
    await una.sends('{"type": "get_members", "room": "plaza"}')
    uwe = await host.enters("uwe")
    await una.sends('{"type": "hello", "payload": {"events": ["status"]}}')
    await ute.sends('{"type": "typing", "room": "plaza"}')
    await una.sends('{"type": "leave_room", "room": "plaza"}')
    await ute.sends('{"type": "get_members", "room": "plaza"}')
    await goodbye(una, uli, ute, uwe)


async def conversations(stage: Stage) -> None:
    stage.heading("Conversations and what is unread in them")
    host = stage.lenient
    kai = await host.enters("kai", room="study")
    kim = await host.enters("kim", room="study")
    await kai.sends('{"type": "get_conversations"}')
    for number in (1, 2):
        content = f'{{"content": "psst {number}"}}'
        await kai.sends(f'{{"type": "chat_message", "toUser": "kim", "messageId": "k-{number}", "payload": {content}}}')
    await kai.sends('{"type": "chat_message", "toUser": "absent", "messageId": "k-3", "payload": {"content": "hm"}}')
    await kai.sends('{"type": "get_conversations", "messageId": "k-4", "payload": {"any": 1}}')
    await kim.sends('{"type": "get_conversations"}')
    await kim.sends('{"type": "mark_read", "payload": {"withUser": "kai"}}')
    await kim.sends('{"type": "get_conversations"}')
    await kim.sends('{"type": "mark_read", "payload": {"withUser": "somebody-else"}}')
    for payload in ["{}", '{"withUser": ""}', '{"withUser": 1}', '{"with_user": "kai"}']:
        await kim.sends(f'{{"type": "mark_read", "messageId": "k-5", "payload": {payload}}}')
    await goodbye(kai, kim)
