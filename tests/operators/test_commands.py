"""What all commands share: help, arguments that make no sense, pipes, and Valkey away."""

from pathlib import Path

import pytest
import redis
from django.core.management import call_command

from aleatoria.valkey.address import Address
from benchmarks.processes import free_port
from tests.conftest import MakeTab
from tests.support.commands import Manage
from tests.support.processes import ValkeyProcess

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
"""Every command, with arguments that are valid."""


EACH = pytest.mark.parametrize("name", COMMANDS)


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
    "an empty room": (["inspect_room", ""], "Room names can have 1 to 64 characters."),
    "a room with braces": (["inspect_room", "a{b}"], "Room names can't contain { or }."),
    "a room in white space": (["inspect_room", " attic"], "Room names can't start or end with a space."),
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
