"""Commands that look: `inspect_…` and `watch`, for people and for programs."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.management import call_command

from aleatoria.management.commands.watch import _scenes
from aleatoria.operators import stats, totals
from aleatoria.valkey.link import Address
from benchmarks.processes import free_port
from matchmaking.services import WAITS
from tests.conftest import MakeServer, MakeTab
from tests.matchmaking.test_calls import meet
from tests.support.commands import Manage
from tests.support.histories import ANA_AND_BOB, ATTIC
from tests.support.processes import PATIENCE, ValkeyProcess
from tests.support.repository import ROOT
from tests.support.wire import Wire

DAY = 24 * 60 * 60
COMMANDS = {
    "inspect_keys": [],
    "inspect_rooms": [],
    "inspect_room": ["attic"],
    "inspect_user": ["ana"],
    "inspect_direct": ["ana", "bob"],
    "inspect_pool": [],
    "watch": ["--once"],
    "purge": ["room", "attic"],
    "audit": [],
    "seed_demo": ["--rooms", "1"],
}
"""Each with arguments that make sense."""
EACH = pytest.mark.parametrize("name", COMMANDS)


@pytest.fixture
def manage(keys: redis.Redis, valkey_process: ValkeyProcess, tmp_path: Path) -> Manage:
    """Commands on the Valkey of the test run."""
    return Manage(valkey_process.address, tmp_path)


def seconds_since(time: str) -> float:
    """How long ago a moment of a JSON document was."""
    return (datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds()


# All of them


@EACH
def test_help_gives_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        call_command(name, "--help")
    examples = capsys.readouterr().out.split("examples:\n")[1].rstrip("\n").split("\n")
    assert examples
    assert all(line.startswith(f"  manage.py {name}") for line in examples)


@EACH
def test_with_valkey_away_it_says_so_in_one_line(name: str, tmp_path: Path) -> None:
    port = free_port()
    ran = Manage(Address("127.0.0.1", port), tmp_path).process(name, *COMMANDS[name])
    assert (ran.status, ran.out) == (2, "")
    (said,) = ran.err.splitlines()
    assert said.startswith(f"CommandError: Valkey/Redis at 127.0.0.1:{port} does not answer: ")


async def test_a_valkey_that_hangs_is_away(tmp_path: Path) -> None:
    with ValkeyProcess(tmp_path) as hung:
        hung.hang()
        ran = await Manage(hung.address, tmp_path)("inspect_rooms")
        assert (ran.status, ran.out) == (2, "")
        assert ran.err.startswith(f"Valkey/Redis at {hung.address} does not answer: ")


async def test_a_valkey_that_wants_a_password_says_so(tmp_path: Path) -> None:
    with ValkeyProcess(tmp_path) as locked:
        locked.client.config_set("requirepass", "secret")
        ran = await Manage(locked.address, tmp_path)("inspect_rooms")
        assert (ran.status, ran.out) == (2, "")
        assert ran.err.startswith(f"Valkey/Redis at {locked.address} lets nobody in: ")


INVALID = {
    "no room": (["inspect_room"], "required: room"),
    "an empty room": (["inspect_room", ""], "A room name has 1 to 64 characters."),
    "a room with braces": (["inspect_room", "a{b}"], "A room name has no braces."),
    "a room in white space": (["inspect_room", " attic"], "neither starts nor ends with white space"),
    "a user with a colon": (["inspect_user", "a:b"], "'a:b' is not a user id."),
    "a user with a star": (["inspect_user", "*"], "'*' is not a user id."),
    "the system": (["inspect_user", "system"], "'system' is not a user id."),
    "half a conversation": (["inspect_direct", "ana"], "required: B"),
    "an unknown order of rooms": (["inspect_rooms", "--sort", "colour"], "invalid choice: 'colour'"),
    "an unknown order of keys": (["inspect_keys", "--sort", "colour"], "invalid choice: 'colour'"),
    "no rooms": (["inspect_rooms", "--limit", "0"], "'0' is not a whole number from 1 to 999999999."),
    "fewer than no keys": (["inspect_keys", "--limit", "-1"], "'-1' is not a whole number from 1 to 999999999."),
    "a few messages": (["inspect_room", "attic", "--tail", "few"], "'few' is not a whole number from 1 to 999999999."),
    "half a message": (
        ["inspect_direct", "ana", "bob", "--tail", "0.5"],
        "'0.5' is not a whole number from 1 to 999999999.",
    ),
    "more than there can be": (["inspect_direct", "ana", "bob", "--tail", "9" * 20], "is not a whole number from 1"),
    "a pool with a name": (["inspect_pool", "attic"], "unrecognized arguments: attic"),
    "soon": (["watch", "--every", "soon"], "'soon' is not a number of seconds"),
    "not a number": (["watch", "--every", "nan"], "'nan' is not a number of seconds"),
    "never": (["watch", "--every", "inf"], "'inf' is not a number of seconds"),
    "at once": (["watch", "--every", "0"], "'0' is not a number of seconds"),
    "purge what": (["purge"], "required: {room,user,conversation}"),
    "purge all": (["purge", "world"], "'world'"),
    "purge no room": (["purge", "room"], "required: room"),
    "purge half a conversation": (["purge", "conversation", "ana"], "required: B"),
    "seed nothing": (["seed_demo", "--rooms", "0"], "'0' is not a whole number from 1 to 999999999."),
}


@pytest.mark.parametrize(("arguments", "says"), INVALID.values(), ids=INVALID)
async def test_arguments_that_make_no_sense_are_named(manage: Manage, arguments: list[str], says: str) -> None:
    ran = await manage(*arguments)
    assert ran.status != 0
    assert ran.out == ""
    assert says in ran.err


def test_an_operator_is_shown_how_it_is_called(manage: Manage) -> None:
    ran = manage.process("inspect_user", "*")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("usage: manage.py inspect_user ")
    assert ran.err.splitlines()[-1] == "manage.py inspect_user: error: argument user: '*' is not a user id."


@pytest.mark.parametrize("name", ["inspect_keys", "inspect_rooms", "inspect_pool"])
def test_a_reader_who_has_gone_is_no_error(manage: Manage, name: str) -> None:
    ran = manage.shell(f"manage {name} | exec 0<&-")
    assert (ran.status, ran.err) == (0, "")


async def test_a_long_list_may_be_read_in_part(manage: Manage) -> None:
    assert (await manage("seed_demo", "--yes", "--rooms", "300", "--messages", "300")).status == 0
    ran = manage.shell("manage inspect_rooms | head -2")
    assert (ran.status, ran.err) == (0, "")
    assert [line.split()[0] for line in ran.out.splitlines()] == ["ROOM", "attic"]


async def test_what_goes_into_a_pipe_is_plain_text(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="café am Eck"):
        ran = manage.process("inspect_rooms")
    assert (ran.status, ran.err) == (0, "")
    assert "\x1b" not in ran.out
    assert "café am Eck" in ran.out


@pytest.mark.plants
async def test_a_key_of_the_wrong_type_is_said_in_one_line(keys: redis.Redis, manage: Manage) -> None:
    keys.set("room:members:attic", "nobody", ex=60)
    ran = await manage("inspect_rooms")
    assert (ran.status, ran.out) == (2, "")
    assert "WRONGTYPE" in ran.err
    assert len(ran.err.splitlines()) == 1


# Rooms


async def test_rooms_are_listed_with_their_numbers(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic"), tab("cat", room="cellar"):
        await ATTIC.say(ana, "one")
        last = await ATTIC.say(ana, "two")
        attic, cellar = await manage.json("inspect_rooms")
        assert {field: attic[field] for field in ("name", "members", "online", "messages")} == {
            "name": "attic", "members": 2, "online": 2, "messages": 2,
        }  # fmt: skip
        assert abs(seconds_since(attic["newest"]) - seconds_since(last["createTime"])) < 1
        assert attic["memory_bytes"] > cellar["memory_bytes"] > 0
        assert DAY - 60 < attic["expires_in_seconds"] <= DAY
        assert (cellar["name"], cellar["members"], cellar["messages"], cellar["newest"]) == ("cellar", 1, 0, None)


async def test_rooms_are_a_table_for_people(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic"), tab("cat", room="cellar"):
        time = (await ATTIC.say(ana, "hello"))["createTime"]
        await ANA_AND_BOB.say(ana, "psst")
        ran = await manage("inspect_rooms")
        assert ran.status == 0
        heading, attic, cellar, summary = ran.lines
        assert heading == "ROOM MEMBERS ONLINE MESSAGES NEWEST (UTC) MEMORY EXPIRES IN"
        assert attic.startswith(f"attic 2 2 1 {time[:10]} {time[11:19]} ")
        assert cellar.startswith("cellar 1 1 0 – ")
        assert summary == "2 rooms. 1 direct conversations."


async def test_rooms_are_sorted_by_what_is_asked_for(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="attic"), tab("bob", room="Cellar"), tab("cat", room="Cellar"):
        assert [room["name"] for room in await manage.json("inspect_rooms")] == ["attic", "Cellar"]
        assert [room["name"] for room in await manage.json("inspect_rooms", "--sort", "members")] == ["Cellar", "attic"]
        ran = await manage("inspect_rooms", "--sort", "members", "--limit", "1")
        assert [line.split()[0] for line in ran.lines] == ["ROOM", "Cellar", "2"]
        assert ran.lines[-1].startswith("2 rooms, of which the first 1 are shown.")


async def test_rooms_may_be_those_with_a_text_in_their_names(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="The Attic"), tab("bob", room="cellar"), tab("cat", room="100 %*"):
        for text, expected in (("atti", ["The Attic"]), ("*", ["100 %*"]), ("?", []), ("", 3)):
            rooms = await manage.json("inspect_rooms", "--containing", text)
            assert [room["name"] for room in rooms] == expected or len(rooms) == expected


async def test_where_nobody_is_there_is_no_room(manage: Manage) -> None:
    assert await manage.json("inspect_rooms") == []
    assert (await manage("inspect_rooms")).lines[-1] == "0 rooms. 0 direct conversations."
    for name in ("attic", "*"):
        ran = await manage("inspect_room", name)
        assert (ran.status, ran.out) == (1, "")
        assert ran.err.startswith(f"There is no room {name!r}")


async def test_a_room_is_shown_with_its_members_and_without_what_they_say(tab: MakeTab, manage: Manage) -> None:
    async with tab("bob", room="attic"), tab("ana", room="attic") as ana:
        await ATTIC.say(ana, "a secret")
        shown = await manage.json("inspect_room", "attic")
        assert (shown["room"]["members"], shown["room"]["messages"]) == (2, 1)
        assert shown["members"] == [{"user": "ana", "online": True}, {"user": "bob", "online": True}]
        assert shown["messages"] == []
        ran = await manage("inspect_room", "attic")
        assert ran.lines[0].startswith("attic: 2 members, 2 online. 1 messages, the newest ")
        assert ran.lines[1:] == ["MEMBER ONLINE", "ana yes", "bob yes"]
        assert "secret" not in ran.out


async def test_a_member_whose_sign_of_life_is_old_is_not_online(keys: redis.Redis, manage: Manage) -> None:
    keys.sadd("room:members:attic", "ana")
    keys.sadd("user:rooms:ana", "attic")
    keys.zadd("users:online", {"ana": 1})
    for key in ("room:members:attic", "user:rooms:ana", "users:online"):
        keys.expire(key, 60)
    assert (await manage.json("inspect_room", "attic"))["members"] == [{"user": "ana", "online": False}]
    assert (await manage.json("inspect_user", "ana"))["online"] is False


HOSTILE = {
    "colour": ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
    "a line of its own": ("one\nbob  two\r\t", r"one\nbob  two\r\t"),
    "turned around": ("abc\u202edef\u2028", r"abc\u202edef\u2028"),
    "markup": ("[bold]loud[/bold] [/] :smile: [link=http://x]y[/link]",) * 2,
    "no markup": (r"\[bold] \x1b",) * 2,
}


@pytest.mark.parametrize(("content", "shown"), HOSTILE.values(), ids=HOSTILE)
async def test_what_people_say_is_shown_as_it_is(tab: MakeTab, manage: Manage, content: str, shown: str) -> None:
    async with tab("ana", room="attic") as ana:
        await ATTIC.say(ana, content)
        await ANA_AND_BOB.say(ana, content)
        for command in (["inspect_room", "attic"], ["inspect_direct", "ana", "bob"]):
            out = (await manage(*command, "--tail", "5")).out
            assert out.splitlines()[-1].endswith(f"ana   {shown}")
            assert out.isprintable() or set(out) - {"\n"} == {char for char in out if char.isprintable()}
            (said,) = (await manage.json(*command, "--tail", "5"))["messages"]
            assert (said["user"], said["content"]) == ("ana", content)


async def test_the_last_messages_are_shown_oldest_first(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="attic") as ana:
        for number in range(5):
            for history in (ATTIC, ANA_AND_BOB):
                await history.say(ana, f"message {number}")
        for command in (["inspect_room", "attic"], ["inspect_direct", "ana", "bob"]):
            said = (await manage.json(*command, "--tail", "2"))["messages"]
            assert [message["content"] for message in said] == ["message 3", "message 4"]
            assert all(0 <= seconds_since(message["at"]) < 60 for message in said)
            assert [line[-9:] for line in (await manage(*command, "--tail", "9")).lines[-5:]] == [
                f"message {number}" for number in range(5)
            ]


@pytest.mark.plants
@pytest.mark.parametrize("line", ["not JSON", "\x1b[31m", '{"type":"chat_message","createTime":"soon"}'])
async def test_a_broken_line_is_said_to_be_broken(keys: redis.Redis, manage: Manage, line: str) -> None:
    keys.zadd("room:messages:attic", {line: 1})
    keys.rpush("dm:ana:bob", line)
    for command in (["inspect_room", "attic"], ["inspect_direct", "ana", "bob"]):
        (said,) = (await manage.json(*command, "--tail", "1"))["messages"]
        assert (said["at"], said["user"], said["content"][:19]) == (None, "", "(this line is broke")
        assert "manage.py audit" in (await manage(*command, "--tail", "1")).lines[-1]
    (conversation,) = (await manage.json("inspect_user", "ana"))["conversations"]
    assert (conversation["messages"], conversation["newest"]) == (1, None)


# Names that would be patterns

PATTERNS = pytest.mark.parametrize(("name", "other"), [("*", "attic"), ("[a]?", "ab"), (r"a\b", "ab")])


@PATTERNS
async def test_a_room_named_like_a_pattern_is_just_that_room(
    tab: MakeTab, manage: Manage, name: str, other: str
) -> None:
    async with tab("ana", room=name) as ana, tab("bob", room=other):
        await ana.says("hello", room=name)
        await ana.hears("chat_message")
        shown = await manage.json("inspect_room", name)
        assert shown["room"]["name"] == name
        assert [member["user"] for member in shown["members"]] == ["ana"]
        assert sorted(room["name"] for room in await manage.json("inspect_rooms")) == sorted([name, other])
        assert [room["name"] for room in await manage.json("inspect_rooms", "--containing", name)] == [name]
        assert (await manage.json("inspect_user", "ana"))["rooms"] == [name]


@PATTERNS
async def test_keys_may_be_looked_for_literally(tab: MakeTab, manage: Manage, name: str, other: str) -> None:
    async with tab("ana", room=name) as ana, tab("bob", room=other):
        await ana.says("hello", room=name)
        await ana.hears("chat_message")
        found = [key["key"] for key in await manage.json("inspect_keys", name, "--literal")]
        assert found == [f"room:members:{name}", f"room:messages:{name}"]
        everything = [key["key"] for key in await manage.json("inspect_keys")]
        assert {*found, f"room:members:{other}", "user:rooms:ana"} < set(everything)


# Keys


async def test_keys_are_explained(tab: MakeTab, keys: redis.Redis, manage: Manage) -> None:
    async with tab("ana", room="attic") as ana:
        await ATTIC.say(ana, "hello")
        keys.set("someone else's", "12345")
        found = {key["key"]: key for key in await manage.json("inspect_keys")}
        history, other = found["room:messages:attic"], found["someone else's"]
        assert (history["holds"], history["type"], history["size"]) == ("messages of a room", "zset", 1)
        assert history["memory_bytes"] > 0
        assert DAY - 60 < history["expires_in_seconds"] <= DAY
        assert (other["holds"], other["type"], other["size"], other["expires_in_seconds"]) == ("", "string", 5, None)


async def test_there_is_no_key_of_ours_that_it_does_not_know(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob, tab("cat") as cat:
        await ATTIC.say(ana, "hello")
        await ana.sends("chat_message", toUser="bob", messageId="1", payload={"content": "psst"})
        for one in (ana, bob):
            await one.hears_until("psst")
        await bob.sends("mark_read", payload={"withUser": "ana"})
        await meet(ana, bob)
        await cat.asks("request_random_peer", "no_peer_available")
        await totals.flush()
        # In a process of its own: what tests import, no command has to.
        found = manage.process("inspect_keys", "--json").json
        assert len({key["holds"] for key in found}) > 12
        assert [key["key"] for key in found if not key["holds"]] == []


async def test_keys_are_a_table_for_people(tab: MakeTab, keys: redis.Redis, manage: Manage) -> None:
    async with tab("ana", room="attic"):
        keys.set("someone else's", "12345")
        ran = await manage("inspect_keys")
        assert ran.lines[0] == "KEY HOLDS TYPE SIZE MEMORY EXPIRES IN"
        (members,) = (line for line in ran.lines if line.startswith("room:members:attic"))
        assert members.startswith("room:members:attic members of a room set 1 ")
        assert re.search(r" (1 day, 0:00|23:59):\d\d$", members)
        (other,) = (line for line in ran.lines if line.startswith("someone else's"))
        assert other.startswith("someone else's (not ours) string 5 ")
        assert other.endswith(" never")
        assert ran.lines[-1] == f"{len(ran.lines) - 2} keys."


async def test_keys_are_found_by_a_text_or_a_pattern(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="attic"), tab("bob", room="cellar"):
        for pattern, expected in (
            ("attic", ["room:members:attic"]),
            ("room:members:*", ["room:members:attic", "room:members:cellar"]),
            ("user:rooms:[ab]??", ["user:rooms:ana", "user:rooms:bob"]),
            ("members", ["room:members:attic", "room:members:cellar"]),
            ("garden", []),
        ):
            assert [key["key"] for key in await manage.json("inspect_keys", pattern)] == expected


async def test_the_largest_keys_may_come_first(keys: redis.Redis, manage: Manage) -> None:
    for length in (10, 1000, 100):
        keys.set(f"length {length}", "x" * length)
    for order in ("size", "memory"):
        ran = await manage("inspect_keys", "--sort", order, "--limit", "2")
        assert [line.split(" (")[0] for line in ran.lines[1:]] == [
            "length 1000", "length 100", "3 keys, of which the first 2 are shown.",
        ]  # fmt: skip


async def test_an_empty_valkey_has_no_keys(manage: Manage) -> None:
    assert await manage.json("inspect_keys") == []
    assert (await manage("inspect_keys")).lines[-1] == "0 keys."


async def test_a_key_that_is_no_text_is_shown_all_the_same(keys: redis.Redis, manage: Manage) -> None:
    keys.set(b"\xff[red]\x1b", "binary")
    (key,) = await manage.json("inspect_keys")
    assert (key["key"], key["size"]) == ("\\xff[red]\x1b", 6)
    assert (await manage("inspect_keys")).lines[1].startswith(r"\xff[red]\x1b (not ours) string 6 ")


# Users


async def test_a_user_is_shown_with_his_rooms_conversations_and_call(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="cellar") as bob:
        await ana.asks("join_room", "room_joined", room="garden")
        await ANA_AND_BOB.say(ana, "psst")
        await bob.hears("chat_message")
        await meet(ana, bob)
        shown = await manage.json("inspect_user", "ana")
        (conversation,) = shown["conversations"]
        assert (shown["user"], shown["online"], shown["rooms"]) == ("ana", True, ["attic", "garden"])
        assert (conversation["one"], conversation["other"], conversation["messages"]) == ("ana", "bob", 1)
        assert (shown["call"]["waits"], shown["call"]["peer"]) == (False, "bob")
        assert 0 < shown["call"]["alive_for_seconds"] <= 45
        ran = await manage("inspect_user", "bob")
        assert ran.lines[:3] == [
            "bob is online. Random call: in a call with ana.", "Rooms: cellar.", "WITH MESSAGES NEWEST (UTC)",
        ]  # fmt: skip
        assert ran.lines[3].startswith("ana 1 20")
        assert "psst" not in ran.out


async def test_a_user_who_waits_is_shown_waiting(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.asks("request_random_peer", "no_peer_available")
        assert (await manage("inspect_user", "ana")).lines[0] == "ana is online. Random call: waiting in the pool."
        assert (await manage.json("inspect_user", "ana"))["call"]["waits"] is True


async def test_a_user_nobody_knows_is_offline_and_has_nothing(manage: Manage) -> None:
    assert (await manage("inspect_user", "ana")).lines == [
        "ana is offline. Random call: none.", "Rooms: none.", "Conversations: none.",
    ]  # fmt: skip
    assert await manage.json("inspect_user", "ana") == {
        "user": "ana", "online": False, "rooms": [], "conversations": [],
        "call": {"waits": False, "peer": "", "alive_for_seconds": None},
    }  # fmt: skip


async def test_users_whose_ids_are_alike_are_told_apart(tab: MakeTab, manage: Manage) -> None:
    async with tab("bob") as bob:
        for other in ("ana", "ana2", "banana", "an.", "bob"):
            await bob.writes(other, "hello")
            await bob.hears("chat_message")
        for user in ("ana", "ana2", "banana", "an."):
            (conversation,) = (await manage.json("inspect_user", user))["conversations"]
            assert (conversation["one"], conversation["other"]) == (user, "bob")
        others = [one["other"] for one in (await manage.json("inspect_user", "bob"))["conversations"]]
        assert others == ["an.", "ana", "ana2", "banana", "bob"]


@pytest.mark.plants
async def test_a_key_that_only_looks_like_a_conversation_is_none(keys: redis.Redis, manage: Manage) -> None:
    for name in ("dm:ana:bob:cat", b"dm:ana:\xff", "dm:ana:", "dm:ana"):
        keys.rpush(name, "hello")
    assert (await manage.json("inspect_user", "ana"))["conversations"] == []


# Conversations


async def test_a_conversation_is_the_same_from_both_sides(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana") as ana, tab("bob") as bob:
        await ANA_AND_BOB.say(ana, "psst")
        await bob.hears("chat_message")
        await ANA_AND_BOB.from_the_other_side().say(bob, "what?")
        for pair in (["ana", "bob"], ["bob", "ana"]):
            shown = await manage.json("inspect_direct", *pair)
            conversation = shown["conversation"]
            assert ([conversation["one"], conversation["other"]], conversation["messages"]) == (pair, 2)
            assert 0 <= seconds_since(conversation["newest"]) < 60
            assert conversation["memory_bytes"] > 0
            assert DAY - 60 < conversation["expires_in_seconds"] <= DAY
            assert shown["messages"] == []
            (line,) = (await manage("inspect_direct", *pair)).lines
            assert line.startswith(f"{pair[0]} and {pair[1]}: 2 messages, the newest ")
            assert [line.split()[-2:] for line in (await manage("inspect_direct", *pair, "--tail", "2")).lines[2:]] == [
                ["ana", "psst"], ["bob", "what?"],
            ]  # fmt: skip


async def test_those_who_have_not_written_have_no_conversation(manage: Manage) -> None:
    ran = await manage("inspect_direct", "ana", "bob", "--json")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("ana and bob have no conversation")


# The pool


async def test_the_pool_is_shown_with_who_waits_and_who_is_in_a_call(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana") as ana, tab("bob") as bob, tab("cat") as cat:
        await meet(ana, bob)
        await cat.asks("request_random_peer", "no_peer_available")
        pool = (await manage.json("inspect_pool"))["pool"]
        assert (pool["waiting"], pool["calls"]) == (1, 1)
        assert pool["first_calls"] == [{"asked": "ana", "chosen": "bob"}]
        (waiting,) = pool["first_waiting"]
        assert waiting["user"] == "cat"
        assert 0 < waiting["alive_for_seconds"] <= 45
        lines = (await manage("inspect_pool")).lines
        assert lines[0].startswith("1 wait, 1 calls are up. ")
        assert lines[1] == "WAITS COUNTS AS ALIVE FOR"
        assert lines[2].startswith("cat 0:00:")
        assert lines[3:] == ["ASKED WAS CHOSEN", "ana bob"]


async def test_an_empty_pool_is_in_one_line(manage: Manage) -> None:
    (line,) = (await manage("inspect_pool")).lines
    assert line.startswith("0 wait, 0 calls are up. ")
    assert line.endswith("0 pairs; nobody had to wait.")
    assert await manage.json("inspect_pool") == {
        "pool": {"waiting": 0, "calls": 0, "first_waiting": [], "first_calls": []},
        "median_wait_seconds": None, "matches": 0,
    }  # fmt: skip


@pytest.mark.plants
async def test_one_who_waits_without_a_lease_is_said_to(keys: redis.Redis, manage: Manage) -> None:
    keys.sadd("available:webrtc", "ana")
    ran = await manage("inspect_pool")
    assert ran.lines[-1] == "ana no lease: see `manage.py audit`"
    (waiting,) = (await manage.json("inspect_pool"))["pool"]["first_waiting"]
    assert waiting == {"user": "ana", "alive_for_seconds": None}


async def test_of_a_crowd_the_first_are_shown(keys: redis.Redis, manage: Manage) -> None:
    crowd = [f"user{number}" for number in range(500)]
    keys.sadd("available:webrtc", *crowd)
    keys.zadd("{available:webrtc}:leases", dict.fromkeys(crowd, time.time() + 45))
    for key in ("available:webrtc", "{available:webrtc}:leases"):
        keys.expire(key, 3600)
    pool = (await manage.json("inspect_pool"))["pool"]
    assert pool["waiting"] == 500
    assert len({waiting["user"] for waiting in pool["first_waiting"]}) == 200
    assert (await manage("inspect_pool")).lines[-1] == "The first 200 of each are shown."


async def test_how_long_people_wait_is_read_from_the_last_hours(keys: redis.Redis, manage: Manage) -> None:
    now = datetime.now(UTC)
    for key, counts in (
        (totals.hour_key(now), {"matches": 4, f"waits:{WAITS[1]}": 2}),
        (totals.hour_key(now - timedelta(hours=2)), {"matches": 100, "waits:longer": 100}),
        (totals.hour_key(now - timedelta(hours=1)), {"matches": 3, f"waits:{WAITS[0]}": 1, "waits:longer": 1}),
    ):
        for field, count in counts.items():
            keys.hset(key, field, str(count))
        keys.expire(key, 60)
    shown = await manage.json("inspect_pool")
    assert shown["matches"] == 7
    assert WAITS[0] < shown["median_wait_seconds"] < WAITS[1]
    said = (await manage("inspect_pool")).lines[0]
    assert f"7 pairs; half of those who waited had to for {shown['median_wait_seconds']:.1f} s or less." in said


# Watching


async def test_a_scene_has_all_numbers(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="cellar") as bob, tab("cat", room="attic") as cat:
        await meet(ana, bob)
        await cat.asks("request_random_peer", "no_peer_available")
        await totals.flush()
        scene = await manage.json("watch", "--once")
        numbers = ("sockets", "users", "rooms", "waiting", "calls", "messages_per_second")
        assert [scene[name] for name in numbers] == [3, 3, 2, 1, 1, None]
        assert 0 <= seconds_since(scene["at"]) < 60
        (process,) = scene["processes"]
        assert (process["pid"], process["sockets"], process["users"], process["rooms"]) == (os.getpid(), 3, 3, 2)
        assert scene["valkey"]["name"] == "Valkey"
        assert scene["valkey"]["role"] == "master"
        assert scene["valkey"]["keys"] > 0
        lines = (await manage("watch", "--once")).lines
        assert lines[0].startswith("Aleatoria, 20")
        for line in (
            "sockets 3",
            "users online 3",
            "rooms 2",
            "messages a second …",
            "waiting for a call 1",
            "calls 1",
        ):
            assert line in lines
        assert lines[-2] == "SERVER ON PID VERSION SOCKETS USERS ROOMS"


async def test_where_nothing_goes_on_a_scene_is_of_zeros(manage: Manage) -> None:
    scene = await manage.json("watch", "--once")
    assert [scene[name] for name in ("sockets", "users", "rooms", "waiting", "calls")] == [0] * 5
    assert scene["processes"] == []
    assert (await manage("watch", "--once")).lines[-1] == "No server reports."


async def test_servers_report(server: MakeServer, manage: Manage) -> None:
    with server("one") as one, server("two") as two:
        async with Wire(one.url, "ana", room="attic"), Wire(two.url, "bob", room="attic"):
            deadline = time.monotonic() + PATIENCE
            while (scene := await manage.json("watch", "--once"))["sockets"] < 2:
                assert time.monotonic() < deadline
            assert {process["pid"] for process in scene["processes"]} == {one.pid, two.pid}
            assert (scene["users"], scene["rooms"]) == (2, 1)


def test_a_watch_may_be_read_in_part(manage: Manage) -> None:
    ran = manage.shell("manage watch --json --every 0.2 | head -1")
    assert (ran.status, ran.err) == (0, "")
    assert ran.json["rooms"] == 0


def test_a_watch_that_is_no_terminal_prints_scene_after_scene(manage: Manage) -> None:
    ran = manage.shell("manage watch --every 0.2 | grep --max-count 3 Aleatoria")
    assert (ran.status, ran.err) == (0, "")
    assert len(ran.lines) == 3


@pytest.fixture
def watching(manage: Manage) -> Iterator["subprocess.Popen[str]"]:
    """`watch --json`, going on."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "watch", "--json", "--every", "0.2"],
        cwd=ROOT, env=manage.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield process
        process.kill()


def scenes(process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    """What it prints."""
    assert process.stdout is not None
    return map(json.loads, process.stdout)


def test_a_watch_tells_messages_a_second(keys: redis.Redis, watching: "subprocess.Popen[str]") -> None:
    first, second = islice(scenes(watching), 2)
    assert (first["messages_per_second"], second["messages_per_second"]) == (None, 0)
    key = totals.day_key(datetime.now(UTC))
    keys.hset(key, mapping={"messages": 60, "direct messages": 40})
    keys.expire(key, 60)
    rates = [scene["messages_per_second"] for scene in islice(scenes(watching), 5)]
    assert sum(rate > 0 for rate in rates) == 1
    assert max(rates) < 100 / 0.2


def test_messages_a_second_go_on_over_midnight(keys: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    class Clock(datetime):
        moment = midnight - timedelta(seconds=1)

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.moment

    monkeypatch.setattr(stats, "datetime", Clock)
    for back, messages in enumerate((0, 500, 1000)):
        key = totals.day_key(midnight - timedelta(days=back))
        keys.hset(key, "messages", messages)
        keys.expire(key, 60)
    seen = _scenes(keys, 0.2)
    next(seen)
    Clock.moment = midnight + timedelta(seconds=1)
    keys.hincrby(totals.day_key(midnight), "messages", 1)
    rate = next(seen).messages_per_second
    assert rate is not None
    assert 0 < rate <= 5


def test_ctrl_c_ends_a_watch_quietly(watching: "subprocess.Popen[str]") -> None:
    next(scenes(watching))
    watching.send_signal(signal.SIGINT)
    _, errors = watching.communicate(timeout=PATIENCE)
    assert (watching.returncode, errors) == (0, "")


def test_when_valkey_goes_away_a_watch_ends_and_says_so(tmp_path: Path) -> None:
    with ValkeyProcess(tmp_path) as mortal:
        with subprocess.Popen(
            [sys.executable, "manage.py", "watch", "--json", "--every", "0.2"],
            cwd=ROOT, env=Manage(mortal.address, tmp_path).environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            next(scenes(process))
            mortal.kill()
            _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 2
        (said,) = errors.splitlines()
        assert said.startswith(f"CommandError: Valkey/Redis at {mortal.address} ")


def test_on_a_terminal_it_is_watched_until_ctrl_c(manage: Manage) -> None:
    ours, its = pty.openpty()
    command = [sys.executable, "manage.py", "watch", "--every", "0.2"]
    environment = manage.environment | {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        shown = b""
        while shown.count(b"Aleatoria, 20") < 3:
            shown += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        try:
            while more := os.read(ours, 65536):
                shown += more
        except OSError:
            pass  # so it ends, on Linux
        assert process.wait(PATIENCE) == 0
    os.close(ours)
    assert b"messages a second" in shown
    assert b"Traceback" not in shown
