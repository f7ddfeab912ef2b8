"""Our server on daphne with an application that does what a test tells it, and that says what happens to it."""

import sys

from tests.support.processes import ServerProcess

PROGRAM = """
import asyncio, sys
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "aleatoria.settings"
import django
django.setup()
from aleatoria.servers.daphne import DrainingServer
from aleatoria.wire.output import CUT, WRITER


def say(text):
    print(text, flush=True)


async def application(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    write = scope["extensions"][WRITER]
    while (event := await receive())["type"] != "websocket.disconnect":
        order, _, count = event["text"].partition(" ")
        if order == "hang":
            await asyncio.sleep(60)
        if order == "flood":  # in one turn of the event loop
            for number in range(int(count)):
                write(f"{number:05}".ljust(16_000))
        else:
            await asyncio.sleep(0.05)
            write(event["text"])
    say(f"disconnected with {event['code']}")
    say(f"cut {CUT.by['slow_reader']}")


async def on_answered():
    say("answered")


async def on_drained():
    say("drained")


DrainingServer(
    application,
    endpoints=[f"tcp:port={sys.argv[1]}:interface=127.0.0.1"],
    on_listening=lambda port: say(f"Listening on http://127.0.0.1:{port}/"),
    on_answered=on_answered,
    on_drained=on_drained,
).run()
"""
PATIENCE = 20.0


class Draining(ServerProcess):
    """One that answers a text after 50 ms with the text; `flood 7` with seven of 16,000 characters, `hang` never."""

    def command(self) -> list[str]:
        return [sys.executable, "-c", PROGRAM, str(self.port)]

    def terminate(self) -> None:
        """SIGTERM, without waiting for the end."""
        assert self._process is not None
        self._process.terminate()

    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        assert self._process is not None
        return self._process.poll() is None

    def rest(self) -> list[str]:
        """Wait for the end; the lines it has printed since it listened."""
        assert self._process is not None
        process, self._process = self._process, None
        said, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        return said.splitlines()
