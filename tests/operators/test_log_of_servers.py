"""The log of servers in processes of their own."""

import asyncio
import json
import re

from tests.conftest import MakeServer
from tests.support.logs import LINE, PRODUCTION, status
from tests.support.processes import ServerProcess
from tests.support.wire import Wire


async def is_used(server: ServerProcess) -> str:
    """Let a user connect, send an invalid frame and leave. Returns the id of an HTTP request."""
    async with Wire(server.url, "ana", room="attic") as ana:
        await ana.says("hello")
        await ana.hears("chat_message")
        await ana.asks("poison", "error")
    code, name = await asyncio.to_thread(status, f"{server.url}/nowhere%0Aelse")
    assert code == 404
    return name


async def test_in_production_each_line_is_json(server: MakeServer) -> None:
    with server(**PRODUCTION) as one:
        name = await is_used(one)
    events = [json.loads(line) for line in one.logged().splitlines()]
    assert all({"time", "level", "logger", "message"} <= set(event) for event in events)
    (came,) = [event for event in events if event["message"] == "ana is connected"]
    (went,) = [event for event in events if event["message"].startswith("ana is disconnected, code 1000")]
    (lost,) = [event for event in events if event["message"].startswith("Not Found: /nowhere")]
    assert came["connection_id"] == went["connection_id"]
    assert went["request_id"] == f"{came['connection_id']}.2"
    assert lost["request_id"] == name


async def test_lines_can_be_had_in_production_too(server: MakeServer) -> None:
    with server(LOG_FORMAT="line", **PRODUCTION) as one:
        name = await is_used(one)
    lines = one.logged().splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    assert any(re.search(r"INFO: ana is connected \[connection_id=[0-9a-f]{8}\]$", line) for line in lines)
    assert any(line.endswith(f"[request_id={name}]") for line in lines)


async def test_who_wants_warnings_only_gets_nothing_else(server: MakeServer) -> None:
    with server(LOG_LEVEL="WARNING", **PRODUCTION) as one:
        await is_used(one)
    assert [json.loads(line)["level"] for line in one.logged().splitlines()] == ["WARNING"]
