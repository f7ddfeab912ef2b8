"""`manage.py watch`: the numbers of the whole chat on one screen, again every few seconds."""

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

from aleatoria.operators import stats
from aleatoria.operators.commands import ValkeyCommand, seconds, size, table
from chat.panels import SAID
from chat.stats.people import count_online
from chat.stats.rooms import room_names
from matchmaking.stats import pool_stats


class Scene(msgspec.Struct, frozen=True):
    """All numbers at one moment. Server processes update theirs every five seconds."""

    at: datetime
    sockets: int
    users: int
    rooms: int
    messages_per_second: float | None
    """Since the previous scene. None in the first scene."""
    waiting: int
    calls: int
    valkey: stats.ValkeyInfo
    processes: list[stats.Process]


class Command(ValkeyCommand):
    """Watch."""

    help = "Show sockets, rooms, messages, the pool, calls and Valkey, again every few seconds. Ctrl-C ends it."
    examples = ("watch", "watch --every 10", "watch --once", "watch --json | head -3   # one line of JSON each time")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--every", type=seconds, default=5.0, metavar="SECONDS", help="how often (default: %(default)g)"
        )
        parser.add_argument("--once", action="store_true", help="show the numbers once and exit")

    def look(self, client: redis.Redis, *, every: float, once: bool, json: bool, **options: object) -> None:
        scenes = islice(_scenes(client, max(every, 0.2)), 1 if once else None)
        try:
            if json or once or not self.stdout.isatty():
                self._print_all(scenes, _in_json if json else _in_text)
            else:
                _show(scenes)
        except KeyboardInterrupt:
            pass  # the usual way to end the command

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
        # Day by day, because at midnight another day takes the place of the older one.
        more = sum(count - before.get(day, 0) for day, count in said.items())
        yield _scene(client, round(more / (now - at), 1))
        before, at = said, now


def _said(client: redis.Redis) -> dict[datetime, int]:
    """Return the number of messages of yesterday and of today."""
    return {day.since: day.count(*SAID) for day in stats.days(client, 2)}


def _scene(client: redis.Redis, messages_per_second: float | None) -> Scene:
    processes, pool = stats.processes(client), pool_stats(client)
    return Scene(
        at=datetime.now(UTC),
        sockets=sum(process.sockets for process in processes),
        users=count_online(client),
        rooms=len(room_names(client)),
        messages_per_second=messages_per_second,
        waiting=pool.waiting,
        calls=pool.calls,
        valkey=stats.valkey_info(client),
        processes=processes,
    )


def _screen(scene: Scene) -> Group:
    rows = [(one.host, one.pid, one.version, one.sockets, one.users, one.rooms) for one in scene.processes]
    headings = ("SERVER ON", "PID", "VERSION", "SOCKETS", "USERS", "ROOMS")
    return Group(
        Text(f"Aleatoria, {scene.at:%Y-%m-%d %H:%M:%S} UTC", style="bold"),
        Text(),
        _table(("", ""), [*_activity(scene), *_valkey(scene.valkey)]),
        Text(),
        _table(headings, rows) if rows else Text("No server process reports."),
    )


def _activity(scene: Scene) -> list[tuple[str, object]]:
    rate = scene.messages_per_second
    return [
        ("sockets", scene.sockets),
        ("users online", scene.users),
        ("rooms", scene.rooms),
        ("messages a second", "…" if rate is None else f"{rate:g}"),
        ("waiting for a call", scene.waiting),
        ("calls", scene.calls),
    ]


def _valkey(server: stats.ValkeyInfo) -> list[tuple[str, object]]:
    memory = size(server.memory_bytes) + (f" of {size(server.memory_limit_bytes)}" if server.memory_limit_bytes else "")
    return [
        (f"{server.name} {server.version}", f"{server.role}, {server.persistence}"),
        ("memory", memory),
        ("commands a second", server.commands_per_second),
        ("keys", server.keys),
        ("evicted keys", server.evictions),
    ]


def _table(headings: tuple[str, ...], rows: Sequence[Sequence[object]]) -> Text:
    return Text("\n".join(table(headings, rows)))
