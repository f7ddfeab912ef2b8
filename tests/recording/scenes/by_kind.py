"""What depends on the server that carries the application: headers, and what it does with broken frames."""

from tests.recording.servers import LARGEST_ON_UVICORN
from tests.recording.stage import Stage

UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


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
