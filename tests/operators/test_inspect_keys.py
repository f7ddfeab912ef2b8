"""`inspect_keys`: the keys in Valkey, and what ours hold."""

import re

import redis

from tests.conftest import MakeTab
from tests.support.calls import meet
from tests.support.commands import DAY, Manage
from tests.support.here import here
from tests.support.histories import ATTIC


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
        await here().totals.flush()
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
            "length 1000", "length 100", "3 keys. The first 2 are shown.",
        ]  # fmt: skip
        found = await manage.json("inspect_keys", "--sort", order, "--limit", "2")
        assert [key["key"] for key in found] == ["length 1000", "length 100"]


async def test_an_empty_valkey_has_no_keys(manage: Manage) -> None:
    assert await manage.json("inspect_keys") == []
    assert (await manage("inspect_keys")).lines[-1] == "0 keys."


async def test_a_key_that_is_no_text_is_shown_all_the_same(keys: redis.Redis, manage: Manage) -> None:
    keys.set(b"\xff[red]\x1b", "binary")
    (key,) = await manage.json("inspect_keys")
    assert (key["key"], key["size"]) == ("\\xff[red]\x1b", 6)
    assert (await manage("inspect_keys")).lines[1].startswith(r"\xff[red]\x1b (not ours) string 6 ")
