"""The script: what the clients of the recording say and do. Frames are literals, written as a client might write them.

Each scene has users and rooms of its own, so that a new scene changes nothing in the others. In the call scenes nobody
waits when they begin or end, because whom a request finds is otherwise up to chance.
"""

import asyncio
import json

from tests.recording.recorder import LARGEST_ON_UVICORN, Client, Stage

OFFER = '{"type": "webrtc_offer", "toUser": "%s", "payload": {"type": "offer", "sdp": "v=0\\r\\n..."}}'
ANSWER = '{"type": "webrtc_answer", "toUser": "%s", "payload": {"type": "answer", "sdp": "v=0\\r\\n..."}}'
CANDIDATE = (
    '{"type": "webrtc_candidate", "toUser": "%s", "payload": {"candidate": "candidate:1 1 udp 2122260223 192.0.2.1 '
    '54321 typ host", "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "4Zcd"}}'
)
AVAILABLE, UNAVAILABLE = '{"type": "user_available_webrtc"}', '{"type": "user_unavailable_webrtc"}'
REQUEST = '{"type": "request_random_peer"}'
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
LARGEST = 65536
"""Bytes of the largest frame that the server reads."""


async def conversation(stage: Stage) -> None:
    """Everything that all kinds of servers answer alike. It ends with the servers."""
    left_alone = await a_caller_is_lost(stage)
    await doors(stage)
    await rooms(stage)
    await messages(stage)
    await addresses(stage)
    await repeats(stage)
    await room_histories(stage)
    await direct_histories(stage)
    await pages_by_size(stage)
    await people(stage)
    await conversations(stage)
    await no_envelopes(stage)
    await lenience(stage)
    await calls(stage)
    await ends_of_calls(stage)
    await refused_signals(stage)
    await second_tabs(stage)
    await paths(stage)
    await a_fault_of_the_server(stage)
    await a_slow_reader(stage)
    await a_purge(stage)
    await tokens(stage)
    await rates(stage)
    await open_signaling(stage)
    await pages(stage)
    await the_lost_caller_does_not_come_back(stage, left_alone)
    await a_full_valkey(stage)
    await an_outage(stage)
    await the_end(stage)


# Handshakes


async def doors(stage: Stage) -> None:
    stage.heading("Who gets in")
    host = stage.lenient
    dans = [
        await host.enters("dan", room="hall"),
        await host.enters("dan in the lobby", query="userId=dan2"),
        await host.enters("dan of two", query="userId=nobody&userId=dan3&room=hall&room=hall%20two"),
        await host.enters("dan decomposed", query="userId=dan4&room=cafe%CC%81"),
        await host.enters("dan with v1", query="userId=dan5", subprotocols=["chat", "aleatoria.v1"]),
        await host.enters("dan with chat", query="userId=dan6", subprotocols=["chat"]),
        await host.enters("dan of the page", query="userId=dan7", headers={"Origin": host.process.url}),
    ]
    for dan in dans:
        await dan.sends('{"type": "get_rooms"}')
        await dan.closes()

    stage.heading("Who does not")
    await host.enters("nobody", query="")
    await host.enters("an empty id", query="userId=")
    await host.enters("the system", query="userId=system")
    await host.enters("a colon", query="userId=a:b")
    await host.enters("a long id", query=f"userId={'a' * 65}")
    await host.enters("not UTF-8", query="userId=%ff")
    await host.enters("an empty room", query="userId=eve&room=")
    await host.enters("a brace", query="userId=eve&room=%7B")
    await host.enters("a long room", query=f"userId=eve&room={'a' * 65}")
    await host.enters("a forger", query="userId=eve", headers={"Authorization": "Bearer forged"})
    await host.enters("a forger's cookie", query="userId=eve", headers={"Cookie": "aleatoria_guest=forged"})
    await host.enters("a forger's offer", query="userId=eve", subprotocols=["aleatoria.v1", "bearer.forged"])
    await host.enters("another page", query="userId=eve", headers={"Origin": "https://evil.example.com"})
    await host.enters("a sandbox", query="userId=eve", headers={"Origin": "null"})
    await host.enters("another path", path="/wss", query="userId=eve")
    await host.enters("a path below", path="/ws/chat/", query="userId=eve")


async def paths(stage: Stage) -> None:
    stage.heading("The three paths")
    host = stage.lenient
    pia = await host.enters("pia", path="/ws/chat", room="terrace")
    pit = await host.enters("pit", path="/ws/matchmaking", room="terrace")
    pam = await host.enters("pam", path="/ws", room="terrace")
    for client in (pia, pit, pam):
        await client.sends('{"type": "hello"}')
        await client.sends('{"type": "get_rooms", "messageId": "p-1"}')
        await client.sends(
            '{"type": "chat_message", "room": "terrace", "messageId": "p-2", "payload": {"content": "Hi."}}'
        )
        await client.sends('{"type": "hangup", "toUser": "eve", "messageId": "p-3"}')
        await client.sends('{"type": "welcome", "messageId": "p-4"}')
    await goodbye(pia, pit, pam)


# Rooms and messages


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


# Histories


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


# People


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


# Frames that a client should not send


def sized(size: int) -> str:
    """Return a message with so many bytes."""
    frame = (
        '{"type": "chat_message", "room": "swamp", "messageId": "f-1", "payload": {"content": "large", "more": "%s"}}'
    )
    return frame % ("x" * (size - len(frame) + 2))


def nested(levels: int) -> str:
    """Return a message with so many levels, of which the envelope and the payload are the first two."""
    deep = levels - 2
    more = f"{'[' * deep}1{']' * deep}"
    return f'{{"type": "chat_message", "room": "swamp", "payload": {{"content": "deep", "more": {more}}}}}'


async def no_envelopes(stage: Stage) -> None:
    stage.heading("Frames that are no envelope")
    host = stage.lenient
    odd: list[str | bytes] = [
        "hello", "", " ", "{", "[]", "null", "1", '"type"', "{}", "[{}]", '{"type": "get_rooms"} {}',
        '{"type": "get_rooms",}', "{'type': 'get_rooms'}", '\ufeff{"type": "get_rooms"}', '{"type": "get\nrooms"}',
    ]  # fmt: skip
    fields: list[str | bytes] = [
        '{"type": null}', '{"type": ""}', '{"type": 1}', '{"type": ["hello"]}', '{"Type": "hello"}',
        '{"type": "hello", "payload": []}', '{"type": "hello", "payload": "{}"}', '{"type": "hello", "payload": 0}',
        '{"type": "hello", "room": 1}', '{"type": "hello", "toUser": {}}', '{"type": "hello", "messageId": 1}',
        '{"type": "hello", "fromUser": 1}', '{"type": "hello", "createTime": 1}', '{"type": "hello", "incoming": "yes"}',
    ]  # fmt: skip
    values: list[str | bytes] = [
        '{"type": "hello", "more": NaN}', '{"type": "hello", "more": -Infinity}', '{"type": "hello", "more": 1e999}',
        f'{{"type": "hello", "more": {"9" * 310}}}', '{"type": "hello", "payload": {"more": "\\ud800"}}',
        '{"type": "hello", "more": "\\udc00\\ud800"}', '{"type": "hello", "more": 01}', nested(33),
        f'{{"type": "hello", "more": {"[" * 2000}', sized(LARGEST + 1), sized(2 * LARGEST), b'{"type": "hello"}', b"",
        b"\x00\xff", b"x" * (LARGEST + 1),
    ]  # fmt: skip
    for number, frames in enumerate((odd, fields, values), start=1):
        olaf = await host.enters(f"olaf{number}", room="swamp")
        for frame in frames:
            await olaf.sends(frame)
        await goodbye(olaf)
    olaf = await host.enters("olaf4", path="/ws/matchmaking")
    await olaf.sends_text_of(b'{"type": "hello", "more": "\xff"}')
    await olaf.sends_text_of(b'{"type": "hello", "more": "\xed\xa0\x80"}')
    await olaf.sends("hello")

    stage.heading("The twentieth of them within a minute")
    for _ in range(17):
        await olaf.sends("hello")
    assert not olaf.is_open


async def lenience(stage: Stage) -> None:
    stage.heading("Frames that look odd and are fine")
    host = stage.lenient
    otto = await host.enters("otto", room="swamp")
    for frame in [
        nested(32),
        sized(LARGEST),
        '{"type": null, "type": "get_rooms"}',
        '{"type": "get_rooms", "room": null, "payload": null, "messageId": null, "more": null}',
        '{"type": "\\u0067et_rooms", "incoming": false, "more": 1e308}',
        '{"type": "get_rooms", "fromUser": "system", "createTime": "x"}',
        '{"type": "get_rooms", "toUser": "not a user", "messageId": "o-1"}',
        '{"type": "get_rooms", "room": " not a room ", "messageId": "o-2"}',
        f'{{"type": "get_rooms", "messageId": "{"o" * 65}"}}',
        '{"type": "no such type", "messageId": "o-3"}',
        '{"type": "GET_ROOMS", "messageId": "o-4"}',
        '{"type": "__init__", "messageId": "o \\"5\\" \\ud83d\\ude00"}',
        '{"type": "error"}',
        '{"type": "server_status", "payload": {"degraded": true}}',
    ]:
        await otto.sends(frame)
    await otto.sends_fragments('{"type": "get', '_rooms", ', '"payload": {}}')
    await otto.pings(b"are you there?")
    await goodbye(otto)


# Calls


async def meet(asking: Client, waiting: Client) -> None:
    """Bring two clients together of whom nobody waits yet."""
    await waiting.sends(AVAILABLE)
    await asking.sends(REQUEST)


async def calls(stage: Stage) -> None:
    stage.heading("A random call")
    host = stage.lenient
    vera = await host.enters("vera", path="/ws/matchmaking")
    vito = await host.enters("vito")
    await vera.sends(REQUEST)
    await vera.sends('{"type": "request_random_peer", "messageId": "v-1", "payload": {"currentPeerId": null}}')
    await vera.sends(UNAVAILABLE)
    await vito.sends('{"type": "request_random_peer", "payload": {"currentPeerId": ""}}')
    await vera.sends(REQUEST)
    await vera.sends(REQUEST)
    await vito.sends(REQUEST)
    await vera.sends(OFFER % "vito")
    await vito.sends(ANSWER % "vera")
    await vito.sends(CANDIDATE % "vera")
    await vera.sends(
        '{"type": "webrtc_candidate", "toUser": "vito", "messageId": "v-2", "payload": { "candidate":null }}'
    )
    await vera.sends(
        '{"type": "webrtc_candidate", "toUser": "vito", "payload": {"candidate": {"candidate": "", "a":1}}}'
    )
    await vera.sends('{"type": "webrtc_candidate", "toUser": "vito"}')
    await vera.sends(
        '{"type": "webrtc_offer", "toUser": "vito", "messageId": "v-3", "fromUser": "x", "incoming": true}'
    )
    await vera.sends(f'{{"type": "webrtc_offer", "toUser": "vito", "payload": {{"sdp": "{"x" * 32768}"}}}}')
    await vito.sends(f'{{"type": "webrtc_candidate", "toUser": "vera", "payload": {{"candidate": "{"x" * 4096}"}}}}')
    await vera.sends('{"type": "hangup", "toUser": "vito"}')
    await vera.sends('{"type": "hangup", "toUser": "vito", "messageId": "v-4"}')

    await meet(vito, vera)
    await vito.sends('{"type": "hangup", "toUser": "vera", "messageId": "v-5", "payload": {"why":  "bored"}}')
    await goodbye(vera, vito)


async def ends_of_calls(stage: Stage) -> None:
    stage.heading("A call is skipped")
    host = stage.lenient
    wim = await host.enters("wim")
    wes = await host.enters("wes", path="/ws/matchmaking")
    await meet(wim, wes)
    await wim.sends('{"type": "request_random_peer", "payload": {"currentPeerId": "somebody-else"}}')
    await wim.sends('{"type": "request_random_peer", "payload": {"currentPeerId": "wes"}}')
    await wes.sends(REQUEST)
    await wes.sends(AVAILABLE)
    await wim.sends(REQUEST)
    await wim.sends(UNAVAILABLE)
    await wim.sends(OFFER % "wes")

    stage.heading("The peer is gone")
    await wim.closes()
    await wes.hears()

    stage.heading("The peer loses the connection and comes back")
    wim = await host.enters("wim")
    await meet(wim, wes)
    await wim.drops()
    wim = await host.enters("wim")
    await wim.sends(REQUEST)
    await wim.sends(OFFER % "wes")
    await wes.sends(ANSWER % "wim")
    await wes.sends('{"type": "hangup", "toUser": "wim"}')
    await goodbye(wim, wes)


async def refused_signals(stage: Stage) -> None:
    stage.heading("Signals that are refused")
    host = stage.lenient
    xena = await host.enters("xena")
    xeno = await host.enters("xeno")
    xara = await host.enters("xara", path="/ws/matchmaking")
    await meet(xena, xeno)
    too_long, too_long_still = "x" * 32769, "ü" * 16385
    for frame in [
        '{"type": "webrtc_offer", "toUser": "xena", "messageId": "x-1", "payload": {"sdp": "v=0"}}',
        '{"type": "webrtc_answer", "toUser": "absent", "messageId": "x-2", "payload": {"sdp": "v=0"}}',
        '{"type": "webrtc_candidate", "toUser": "xara", "messageId": "x-3", "payload": {"candidate": ""}}',
        '{"type": "hangup", "toUser": "xena", "messageId": "x-4"}',
        '{"type": "webrtc_offer", "messageId": "x-5", "payload": {"sdp": "v=0"}}',
        '{"type": "webrtc_candidate", "messageId": "x-6"}',
        '{"type": "hangup", "messageId": "x-7"}',
        '{"type": "hangup", "room": "attic", "toUser": "not a user", "messageId": "x-8"}',
        '{"type": "webrtc_offer", "toUser": "xena", "messageId": "x-9", "payload": {"sdp": 1}}',
        f'{{"type": "webrtc_offer", "toUser": "xena", "messageId": "x-10", "payload": {{"sdp": "{too_long}"}}}}',
        f'{{"type": "webrtc_answer", "toUser": "xena", "messageId": "x-11", "payload": {{"sdp": "{too_long_still}"}}}}',
        f'{{"type": "webrtc_candidate", "toUser": "xena", "messageId": "x-12", "payload": {{"candidate": "{"x" * 4097}"}}}}',
        '{"type": "request_random_peer", "messageId": "x-13", "payload": {"currentPeerId": 1}}',
        '{"type": "assign_role", "toUser": "xena", "messageId": "x-14", "payload": {"role": "polite", "peerId": "xara"}}',
        '{"type": "no_peer_available", "messageId": "x-15"}',
    ]:
        await xara.sends(frame)
    await xena.sends('{"type": "hangup", "toUser": "xeno"}')
    await goodbye(xena, xeno, xara)


async def second_tabs(stage: Stage) -> None:
    stage.heading("One tab of several is in the call")
    host = stage.lenient
    yan = await host.enters("yan", path="/ws/matchmaking")
    tab = await host.enters("yan'")
    yul = await host.enters("yul")
    await meet(yul, yan)
    await yul.sends(OFFER % "yan")
    await tab.sends(REQUEST)
    await yul.sends(CANDIDATE % "yan")
    await yan.sends(ANSWER % "yul")
    await tab.closes()
    await yan.sends(REQUEST)
    await yan.sends(UNAVAILABLE)
    await yul.sends('{"type": "hangup", "toUser": "yan"}')
    await goodbye(yan, yul)


async def a_caller_is_lost(stage: Stage) -> Client:
    stage.heading("A caller loses the connection")
    host = stage.lenient
    lea = await host.enters("lea", path="/ws/matchmaking")
    leo = await host.enters("leo", path="/ws/matchmaking")
    await meet(leo, lea)
    await lea.drops()
    # What happens next takes seconds, in which the other scenes are played.
    leo.steps_aside()
    return leo


async def the_lost_caller_does_not_come_back(stage: Stage, left_alone: Client) -> None:
    stage.heading("The lost caller does not come back")
    left_alone.steps_back()
    await left_alone.hears()
    await left_alone.sends('{"type": "hangup", "toUser": "lea", "messageId": "leo-1"}')
    await goodbye(left_alone)


# What goes wrong, and what operators do


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


# The strict server


async def tokens(stage: Stage) -> None:
    stage.heading("Tokens, where `?userId=` is not believed")
    host = stage.strict
    token = await host.opens_session("ana")
    bearer = {"Authorization": f"Bearer {token}"}
    ours = {"Origin": "https://chat.example.com"}
    anas = [
        await host.enters("with a header", query="room=gate", headers=bearer),
        await host.enters("with a sub-protocol", query="room=gate", subprotocols=["aleatoria.v1", f"bearer.{token}"]),
        await host.enters("with a cookie", query="room=gate", headers=ours | {"Cookie": f"aleatoria_guest={token}"}),
        await host.enters("with both", query="userId=eve&room=gate", headers=bearer | ours),
    ]
    for ana in anas:
        await ana.sends('{"type": "hello"}')
    await goodbye(*anas)
    await host.enters("a name only", query="userId=eve", headers=ours)
    await host.enters("a name and no page", query="userId=eve")
    await host.enters("a cookie and no page", query="", headers={"Cookie": f"aleatoria_guest={token}"})
    await host.enters("the server's own page", query="", headers=bearer | {"Origin": host.process.url})
    await host.enters("another page", query="", headers=bearer | {"Origin": "https://chat.example.com:8443"})
    await host.enters("half a token", query="", headers={"Authorization": f"Bearer {token[:20]}"})
    await host.enters("no scheme", query="", headers=ours | {"Authorization": token})
    stage.heading("Sessions")
    origin = {"Origin": "https://chat.example.com"}
    await host.asks("POST", "/api/session")
    await host.asks("POST", "/api/session", "{}", headers=origin)
    for name in ("Ana Maria Ö'Hara", "...", "李", "x" * 64, "x" * 65, 1, None):
        await host.asks("POST", "/api/session", json.dumps({"name": name}))
    await host.asks("POST", "/api/session", '{"name": "ana", "more": 1}')
    await host.asks("POST", "/api/session", "name=ana")
    await host.asks("POST", "/api/session", "[]")
    await host.asks("POST", "/api/session", "{}", headers={"Origin": "https://evil.example.com"})
    await host.asks("OPTIONS", "/api/session", headers=origin)
    await host.asks("OPTIONS", "/api/session", headers={"Origin": "null"})
    await host.asks("DELETE", "/api/session", headers=origin)
    await host.asks("GET", "/api/session")


async def guest(stage: Stage, name: str, *, path: str = "/ws", room: str = "") -> Client:
    """Connect to the strict server as a new guest."""
    token = await stage.strict.opens_session(name)
    query = f"room={room}" if room else ""
    return await stage.strict.enters(name, path=path, query=query, headers={"Authorization": f"Bearer {token}"})


async def rates(stage: Stage) -> None:
    stage.heading("A client that asks too fast")
    tim = await guest(stage, "tim", room="rush")
    await tim.sends_often(60, '{"type": "chat_message", "room": "rush", "payload": {"content": "quick"}}')
    await tim.sends_often(40, '{"type": "join_room", "room": "rush", "messageId": "t-1"}')
    await tim.sends_often(40, '{"type": "get_rooms", "messageId": "t-2"}')
    await tim.sends_often(40, '{"type": "typing", "room": "rush", "messageId": "t-3"}')
    await tim.sends_often(20, '{"type": "request_random_peer", "messageId": "t-4"}')
    await tim.sends_often(20, '{"type": "webrtc_offer", "toUser": "absent", "payload": {"sdp": 1}}')
    await tim.sends_often(200, '{"type": "webrtc_candidate", "toUser": "absent", "payload": {"candidate": ""}}')
    await tim.sends_often(400, '{"type": "no such type", "messageId": "t-5"}')
    await goodbye(tim)
    stage.heading("A client that asks ten times too fast")
    tom = await guest(stage, "tom", path="/ws/matchmaking")
    await tom.sends_often(75, '{"type": "request_random_peer", "messageId": "t-6", "payload": {"currentPeerId": 1}}')
    assert not tom.is_open


async def open_signaling(stage: Stage) -> None:
    stage.heading("Signals between users who are in no call, where the settings allow it")
    jan, jon = await guest(stage, "jan"), await guest(stage, "jon", path="/ws/matchmaking")
    jim = await guest(stage, "jim", path="/ws/chat")
    await jon.sends('{"type": "hello"}')
    await jim.sends('{"type": "hello"}')
    for frame in (OFFER, ANSWER, CANDIDATE, '{"type": "hangup", "toUser": "%s", "messageId": "j-1"}'):
        await jan.sends(frame % jon.user)
        await jan.sends(frame % jim.user)
    await goodbye(jan, jon, jim)


async def pages(stage: Stage) -> None:
    stage.heading("What is answered over HTTP")
    for host in (stage.lenient, stage.strict):
        await host.asks("GET", "/")
        await host.asks("GET", "/health")
        await host.asks("GET", "/ready")
        await host.asks("POST", "/health")
        await host.asks("GET", "/metrics", headers={"X-Forwarded-For": "192.0.2.1"})
        await host.asks("GET", "/health", headers={"Host": "any.example.com"})
    await stage.strict.asks("GET", "/", headers={"Host": "any.example.com"})
    await stage.strict.asks("GET", "/ws")
    await stage.strict.asks("GET", "/nowhere")


async def goodbye(*clients: Client) -> None:
    """Close these connections."""
    for client in clients:
        await client.closes()


# Where servers differ


async def differences(stage: Stage) -> None:
    """What is up to the server that carries the application: headers, and what it does with broken frames."""
    await handshakes(stage)
    await headers(stage)
    await broken_frames(stage)


async def handshakes(stage: Stage) -> None:
    stage.heading("The answers to handshakes")
    for more in (
        {},
        {"Sec-WebSocket-Protocol": "aleatoria.v1, chat"},
        {"Sec-WebSocket-Extensions": "permessage-deflate"},
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
    ):
        stage.happens(f"an upgrade with {more}")
        await stage.lenient.asks("GET", "/ws?userId=aki", headers=UPGRADE | more, shows_headers=True)
    await stage.lenient.asks("GET", "/nowhere", headers=UPGRADE, shows_headers=True)


async def headers(stage: Stage) -> None:
    stage.heading("Headers of HTTP")
    strict = stage.strict
    token = await strict.opens_session("amy")
    await strict.asks("GET", "/", shows_headers=True)
    await strict.asks("GET", "/", shows_headers=True, headers={"Cookie": f"aleatoria_guest={token}"})
    await strict.asks("GET", "/health", shows_headers=True)
    await strict.asks("GET", "/ready", shows_headers=True)
    await strict.asks("POST", "/health", shows_headers=True)
    await strict.asks("POST", "/api/session", '{"name": "amy"}', shows_headers=True)
    origin = {"Origin": "https://chat.example.com", "X-Forwarded-Proto": "https"}
    await strict.asks("POST", "/api/session", '{"name": "amy"}', shows_headers=True, headers=origin)
    await strict.asks("POST", "/api/session", "[]", shows_headers=True, headers=origin)
    await strict.asks("POST", "/api/session", shows_headers=True, headers={"Origin": "https://evil.example.com"})
    await strict.asks("OPTIONS", "/api/session", shows_headers=True, headers=origin)
    await strict.asks("DELETE", "/api/session", shows_headers=True, headers=origin)
    await strict.asks("GET", "/metrics", shows_headers=True, headers={"X-Forwarded-For": "192.0.2.1"})
    await strict.asks("GET", "/nowhere", shows_headers=True)
    await stage.lenient.asks("POST", "/api/session", shows_headers=True, headers={"Origin": stage.lenient.process.url})


async def broken_frames(stage: Stage) -> None:
    stage.heading("Frames that break the rules of WebSocket")
    host = stage.lenient
    broken = {
        "a text that is not masked": b"\x81\x02{}",
        "a reserved bit": b"\xc1\x82\x00\x00\x00\x00{}",
        "an unknown opcode": b"\x83\x82\x00\x00\x00\x00{}",
        "a continuation of nothing": b"\x80\x82\x00\x00\x00\x00{}",
    }
    for what, data in broken.items():
        client = await host.enters("abe", path="/ws/matchmaking")
        await client.puts(data, what)
    stage.heading("A frame that is too large even for uvicorn")
    client = await host.enters("abe", path="/ws/matchmaking")
    await client.sends_head_first("x" * (LARGEST_ON_UVICORN + 1))
    if client.is_open:
        await client.closes()
