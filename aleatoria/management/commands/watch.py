"""`manage.py watch`: what is going on, as it goes on."""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

import msgspec
import redis
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

import chat.stats
import matchmaking.stats
from aleatoria.operators import stats
from aleatoria.operators.commands import ValkeyCommand, seconds, size, table


class Scene(msgspec.Struct, frozen=True):
    """All there is to see at a moment. Server processes report, and totals grow, every five seconds."""

    at: datetime
    sockets: int
    users: int
    rooms: int
    messages_per_second: float | None
    """Since the scene before; None in the first."""
    waiting: int
    calls: int
    valkey: stats.Server
    processes: list[stats.Process]


class Command(ValkeyCommand):
    """Watch."""

    help = "Watch what is going on: sockets, rooms, messages, pool, calls, Valkey. Ctrl-C ends it."
    examples = ("watch", "watch --every 10", "watch --once", "watch --json | head -3   # a line of JSON a scene")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--every", type=seconds, default=5.0, metavar="SECONDS", help="(default: %(default)g)")
        parser.add_argument("--once", action="store_true", help="one scene, and no more")

    def look(self, client: redis.Redis, *, every: float, once: bool, json: bool, **options: object) -> None:
        scenes = islice(_scenes(client, max(every, 0.2)), 1 if once else None)
        try:
            if json or once or not self.stdout.isatty():
                self._print_all(scenes, _in_json if json else _in_text)
            else:
                _show(scenes)
        except KeyboardInterrupt:
            pass  # that is how it ends

    def _print_all(self, scenes: Iterable[Scene], text: Callable[[Scene], str]) -> None:
        for scene in scenes:
            self.stdout.write(text(scene))
            self.stdout.flush()


def _in_json(scene: Scene) -> str:
    return msgspec.json.encode(scene).decode()


def _in_text(scene: Scene) -> str:
    with (console := Console(width=100)).capture() as captured:
        console.print(_screen(scene))
    return captured.get()


def _show(scenes: Iterator[Scene]) -> None:
    with Live(_screen(next(scenes)), screen=True, auto_refresh=False) as live:
        for scene in scenes:
            live.update(_screen(scene), refresh=True)


def _scenes(client: redis.Redis, every: float) -> Iterator[Scene]:
    before, at = _said(client), time.monotonic()
    yield _scene(client, None)
    while True:
        time.sleep(every)
        said, now = _said(client), time.monotonic()
        # Each day by itself: the days there are change at midnight.
        more = sum(count - before.get(day, 0) for day, count in said.items())
        yield _scene(client, round(more / (now - at), 1))
        before, at = said, now


def _said(client: redis.Redis) -> dict[datetime, int]:
    """Messages of yesterday and today."""
    kinds = ("messages", "direct messages")
    return {day.since: sum(day.counts.get(kind, 0) for kind in kinds) for day in stats.days(client, 2)}


def _scene(client: redis.Redis, messages_per_second: float | None) -> Scene:
    processes, pool = stats.processes(client), matchmaking.stats.pool(client)
    return Scene(
        at=datetime.now(UTC),
        sockets=sum(process.sockets for process in processes),
        users=chat.stats.count_online(client),
        rooms=len(chat.stats.room_names(client)),
        messages_per_second=messages_per_second,
        waiting=pool.waiting,
        calls=pool.calls,
        valkey=stats.server(client),
        processes=processes,
    )


def _screen(scene: Scene) -> Group:
    server, rate = scene.valkey, scene.messages_per_second
    memory = size(server.memory_bytes) + (f" of {size(server.memory_limit_bytes)}" if server.memory_limit_bytes else "")
    numbers = [
        ("sockets", scene.sockets),
        ("users online", scene.users),
        ("rooms", scene.rooms),
        ("messages a second", "…" if rate is None else f"{rate:g}"),
        ("waiting for a call", scene.waiting),
        ("calls", scene.calls),
        (f"{server.name} {server.version}", f"{server.role}, {server.persistence}"),
        ("its memory", memory),
        ("its commands a second", server.commands_per_second),
        ("its keys", server.keys),
        ("its evictions", server.evictions),
    ]
    rows = [(one.host, one.pid, one.version, one.sockets, one.users, one.rooms) for one in scene.processes]
    return Group(
        Text(f"Aleatoria, {scene.at:%Y-%m-%d %H:%M:%S} UTC", style="bold"),
        Text(),
        _table(("", ""), numbers),
        Text(),
        _table(("SERVER ON", "PID", "VERSION", "SOCKETS", "USERS", "ROOMS"), rows)
        if rows
        else Text("No server reports."),
    )


def _table(headings: tuple[str, ...], rows: Sequence[Sequence[object]]) -> Text:
    return Text("\n".join(table(headings, rows)))
