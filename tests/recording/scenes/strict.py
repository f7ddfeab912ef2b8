"""The strict server: tokens, rates, open signaling; and what both servers answer over HTTP."""

import json

from tests.recording.scenes.steps import ANSWER, CANDIDATE, OFFER, goodbye, guest
from tests.recording.stage import Stage


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
