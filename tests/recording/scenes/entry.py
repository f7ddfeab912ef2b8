"""Who gets in, who does not, and what each path offers."""

from tests.recording.scenes.steps import goodbye
from tests.recording.stage import Stage


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
