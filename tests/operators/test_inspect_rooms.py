"""`inspect_rooms` and `inspect_room`, and what other commands show of messages."""

import pytest
import redis

from tests.conftest import MakeTab
from tests.support.commands import DAY, Manage, seconds_since
from tests.support.histories import ANA_AND_BOB, ATTIC


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
        assert summary == "2 rooms. 1 direct conversation."


async def test_rooms_are_sorted_by_what_is_asked_for(tab: MakeTab, manage: Manage) -> None:
    async with tab("ana", room="attic"), tab("bob", room="Cellar"), tab("cat", room="Cellar"):
        assert [room["name"] for room in await manage.json("inspect_rooms")] == ["attic", "Cellar"]
        assert [room["name"] for room in await manage.json("inspect_rooms", "--sort", "members")] == ["Cellar", "attic"]
        ran = await manage("inspect_rooms", "--sort", "members", "--limit", "1")
        assert [line.split()[0] for line in ran.lines] == ["ROOM", "Cellar", "2"]
        assert ran.lines[-1].startswith("2 rooms. The first 1 are shown.")


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
        assert ran.lines[0].startswith("attic: 2 members, 2 online. 1 message, the newest from ")
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
        assert (said["at"], said["user"], said["content"][:19]) == (None, "", "(broken line: run `")
        assert "manage.py audit" in (await manage(*command, "--tail", "1")).lines[-1]
    (conversation,) = (await manage.json("inspect_user", "ana"))["conversations"]
    assert (conversation["messages"], conversation["newest"]) == (1, None)


PATTERNS = pytest.mark.parametrize(("name", "other"), [("*", "attic"), ("a?", "ab"), ("[a]?", "ab"), (r"a\b", "ab")])


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
