"""Histories of rooms and of conversations, page by page."""

from tests.recording.scenes.steps import goodbye
from tests.recording.stage import Stage


async def room_histories(stage: Stage) -> None:
    stage.heading("The history of a room")
    host = stage.lenient
    lia = await host.enters("lia", room="library")
    await lia.sends('{"type": "get_recent_messages", "room": "library"}')
    for number in range(1, 6):
        content = f'{{"content": "Page {number}", "n":{number}}}'
        await lia.sends(
            f'{{"type": "chat_message", "room": "library", "messageId": "l-{number}", "payload": {content}}}'
        )

    def asking(payload: str) -> str:
        return f'{{"type": "get_recent_messages", "room": "library", "messageId": "l-6", "payload": {payload}}}'

    await lia.sends('{"type": "get_recent_messages", "room": "library"}')
    for payload in ["{}", "null", '{"limit": 2}']:
        await lia.sends(asking(payload))
    for _ in range(3):
        await lia.sends(asking(f'{{"limit": 2, "cursor": "{lia.cursor}"}}'))
    second, third = host.created["l-2"], host.created["l-3"]
    await lia.sends(asking(f'{{"before": "{third}"}}'))
    await lia.sends(asking(f'{{"before": "{third.replace("Z", "+00:00")}", "limit": 1}}'))
    await lia.sends(asking(f'{{"after": "{second}", "limit": 2}}'))
    await lia.sends(asking(f'{{"cursor": "{lia.cursor}", "limit": 2, "before": "{second}"}}'))
    await lia.sends(asking(f'{{"cursor": "{lia.cursor}"}}'))
    for payload in [
        '{"limit": 0}', '{"limit": -1}', '{"limit": 1.9}', '{"limit": 1e3}', '{"limit": null, "before": null}',
        '{"limit": 1, "before": "", "after": "", "cursor": ""}', '{"before": "2001-01-01T00:00:00Z"}',
        '{"after": "2001-01-01t01:00:00.5+01:00", "limit": 1}', '{"after": "2999-12-31T23:59:59Z"}',
        '{"Limit": 1, "LIMIT": 1, "limit": 2}',
    ]:  # fmt: skip
        await lia.sends(asking(payload))

    stage.heading("Requests for a history that make no sense")
    for payload in [
        '{"limit": "2"}', '{"limit": true}', '{"limit": [1]}', '{"before": 1}', '{"before": "yesterday"}',
        '{"after": "2001-02-30T00:00:00Z"}', '{"after": "2001-01-01"}', '{"cursor": "x"}', '{"cursor": 1}',
        '{"cursor": "b3wx"}', f'{{"before": "{third}", "after": "{second}"}}',
    ]:  # fmt: skip
        await lia.sends(asking(payload))
    await goodbye(lia)


async def direct_histories(stage: Stage) -> None:
    stage.heading("The history of a conversation")
    host = stage.lenient
    nia = await host.enters("nia", path="/ws/chat", room="desk")
    nat = await host.enters("nat", path="/ws/chat", room="desk")

    def asking(payload: str) -> str:
        return f'{{"type": "get_direct_messages", "messageId": "n-6", "payload": {payload}}}'

    await nia.sends(asking('{"withUser": "nat"}'))
    for number in range(1, 6):
        who, to = ((nia, "nat"), (nat, "nia"))[number % 2]
        content = f'{{"content": "Letter {number}"}}'
        await who.sends(
            f'{{"type": "chat_message", "toUser": "{to}", "messageId": "n-{number}", "payload": {content}}}'
        )
    await nia.sends(asking('{"withUser": "nat"}'))
    await nat.sends(asking('{"withUser": "nia", "limit": 2}'))
    for _ in range(2):
        await nat.sends(asking(f'{{"withUser": "nia", "limit": 2, "cursor": "{nat.cursor}"}}'))
    second, third = host.created["n-2"], host.created["n-3"]
    await nia.sends(asking(f'{{"withUser": "nat", "before": "{third}"}}'))
    await nia.sends(asking(f'{{"withUser": "nat", "after": "{second}", "limit": 2}}'))
    await nia.sends(asking(f'{{"withUser": "nat", "cursor": "{nia.cursor}", "limit": 2}}'))
    await nia.sends(asking('{"withUser": "nia"}'))
    await nia.sends(asking('{"withUser": "somebody-else"}'))
    cursor = nia.cursor
    await nia.sends('{"type": "chat_message", "room": "desk", "messageId": "n-7", "payload": {"content": "Aside"}}')
    await nia.sends('{"type": "get_recent_messages", "room": "desk"}')
    await nia.sends(f'{{"type": "get_recent_messages", "room": "desk", "payload": {{"cursor": "{cursor}"}}}}')
    for payload in [
        f'{{"withUser": "nat", "cursor": "{nia.cursor}"}}',
        "{}", "null", '{"withUser": ""}', '{"withUser": null}', '{"withUser": 1}', '{"withUser": "system"}',
        '{"with_user": "nat"}', '{"withUser": "nat", "limit": "2"}',
    ]:  # fmt: skip
        await nia.sends(asking(payload))
    await goodbye(nia, nat)


async def pages_by_size(stage: Stage) -> None:
    stage.heading("A page ends before it has 256 KiB")
    host = stage.lenient
    sid = await host.enters("sid", room="warehouse")
    for number in range(1, 7):
        payload = f'{{"content": "Box {number}", "box": "{"x" * 60_000}"}}'
        await sid.sends(
            f'{{"type": "chat_message", "room": "warehouse", "messageId": "w-{number}", "payload": {payload}}}'
        )
        await sid.sends(
            f'{{"type": "chat_message", "toUser": "sid", "messageId": "w-{number}d", "payload": {payload}}}'
        )
    await sid.sends('{"type": "get_recent_messages", "room": "warehouse"}')
    await sid.sends(f'{{"type": "get_recent_messages", "room": "warehouse", "payload": {{"cursor": "{sid.cursor}"}}}}')
    await sid.sends('{"type": "get_direct_messages", "payload": {"withUser": "sid"}}')
    await sid.sends(f'{{"type": "get_direct_messages", "payload": {{"withUser": "sid", "cursor": "{sid.cursor}"}}}}')
    await goodbye(sid)
