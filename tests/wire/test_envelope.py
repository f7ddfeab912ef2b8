"""The fields of a frame: which are the client's, which the server's, and how the server says no."""

import re
from typing import Any
from uuid import RFC_4122, UUID

import pytest

from tests.conftest import MakeTab

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.mark.parametrize(
    ("field", "forged"),
    [
        ("fromUser", "bob"),
        ("fromUser", "system"),
        ("fromUser", ""),
        ("createTime", "1999-12-31T23:59:59.000000Z"),
        ("createTime", "poison"),
        ("incoming", True),
        ("incoming", False),
    ],
)
async def test_what_is_the_servers_to_set_is_overwritten(tab: MakeTab, field: str, forged: object) -> None:
    async with tab("ana", room="attic") as ana, tab("eve", room="attic") as eve:
        message: dict[str, Any] = {"room": "attic", "messageId": "m1", "payload": {"content": "hello"}, field: forged}
        await eve.sends("chat_message", **message)
        heard = await ana.hears("chat_message")
        assert MOMENT.fullmatch(heard.pop("createTime"))
        assert heard == {
            "type": "chat_message",
            "fromUser": "eve",
            "room": "attic",
            "messageId": "m1",
            "payload": {"content": "hello"},
        }


async def test_who_a_direct_message_comes_in_for_is_not_the_clients_to_say(tab: MakeTab) -> None:
    async with tab("ana") as ana, tab("eve") as eve:
        message = {"toUser": "ana", "payload": {"content": "hello"}, "fromUser": "bob", "incoming": False}
        await eve.sends("chat_message", **message)
        heard = await ana.hears("chat_message")
        assert (heard["fromUser"], heard["toUser"], heard["incoming"]) == ("eve", "ana", True)
        assert (await eve.hears("chat_message"))["incoming"] is False


async def test_times_look_alike_and_always_move_on(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana, tab("bob", room="attic") as bob:
        for number in range(50):
            await (ana if number % 2 else bob).says("tick")
        times = [(await ana.hears("chat_message"))["createTime"] for _ in range(50)]
        assert all(MOMENT.fullmatch(time) for time in times)
        assert times == sorted(set(times))


async def test_a_message_without_an_id_is_given_one(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("hello")
        await ana.says("hello")
        one, other = [(await ana.hears("chat_message"))["messageId"] for _ in range(2)]
        assert UUID(one) != UUID(other)


async def test_ids_that_the_server_gives_are_random_uuids_and_never_the_same(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        for _ in range(300):
            await ana.says("hello")
        ids = [UUID((await ana.hears("chat_message"))["messageId"]) for _ in range(300)]
    assert len(set(ids)) == len(ids)
    assert {(one.version, one.variant) for one in ids} == {(4, RFC_4122)}


@pytest.mark.parametrize("message_id", ["1", "x" * 64, "\U0001f40d" * 64, "a b", '"', "\u0000"], ids=ascii)
async def test_a_clients_own_id_is_kept(tab: MakeTab, message_id: str) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("hello", messageId=message_id)
        assert (await ana.hears("chat_message"))["messageId"] == message_id


async def test_an_id_of_more_than_64_characters_is_refused(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("hello", messageId="x" * 65)
        assert (await ana.hears("error"))["payload"]["code"] == "invalid_field"
        await ana.hears_nothing()


async def test_unknown_fields_are_dropped_and_the_payload_passes_untouched(tab: MakeTab) -> None:
    payload: dict[str, Any] = {"content": "h\u00e9", "x": [1, -0.5, 1e300, None, {"y": "\u2028"}], "fromUser": "bob"}
    async with tab("ana", room="attic") as ana, tab("eve", room="attic") as eve:
        await eve.sends("chat_message", room="attic", payload=payload, poison=1, from_user="bob", to_user="ana")
        heard = await ana.hears("chat_message")
        assert heard.keys() == {"type", "fromUser", "room", "messageId", "createTime", "payload"}
        assert heard["payload"] == payload


@pytest.mark.parametrize("empty", [None, ""], ids=["null", "empty"])
async def test_an_empty_field_counts_as_left_out(tab: MakeTab, empty: str | None) -> None:
    fields = dict.fromkeys(["fromUser", "toUser", "messageId", "createTime"], empty)
    async with tab("ana", room="attic") as ana:
        await ana.says("hello", **fields)
        heard = await ana.hears("chat_message")
        assert heard.keys() == {"type", "fromUser", "room", "messageId", "createTime", "payload"}
        assert UUID(heard["messageId"])


async def test_every_field_may_be_null_where_it_may_be_missing(tab: MakeTab) -> None:
    fields = dict.fromkeys(["fromUser", "toUser", "room", "payload", "messageId", "createTime", "incoming"])
    async with tab("ana", room="attic") as ana:
        assert await ana.asks("get_rooms", "rooms_list", **fields) == {"rooms": ["attic"]}


@pytest.mark.parametrize(
    ("kind", "answer", "payload"),
    [
        ("hello", "welcome", {"events": None}),
        ("get_recent_messages", "recent_messages", dict.fromkeys(["limit", "before", "after", "cursor"])),
    ],
    ids=["hello", "history"],
)
async def test_a_payloads_null_counts_as_left_out(
    tab: MakeTab, kind: str, answer: str, payload: dict[str, None]
) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.asks(kind, answer, room="attic", payload=payload)


async def test_the_answer_to_what_is_no_envelope_has_just_these_fields(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.sends_text('{"type":"chat_message","messageId":"m1","room":5}')
        answer = await ana.hears("error_response")
        assert MOMENT.fullmatch(answer.pop("createTime"))
        assert UUID(answer.pop("messageId").removeprefix("err-"))
        details = answer["payload"].pop("details")
        assert isinstance(details, str)
        assert details
        assert answer == {
            "type": "error_response",
            "toUser": "ana",
            "payload": {"error": "Invalid message structure", "code": "malformed"},
        }


async def test_the_answer_to_what_is_no_envelope_always_has_an_id_of_its_own(tab: MakeTab) -> None:
    async with tab("ana") as ana:
        for _ in range(5):
            await ana.sends_text("poison")
        ids = {(await ana.hears("error_response"))["messageId"] for _ in range(5)}
        assert len(ids) == 5
        assert all(one.startswith("err-") for one in ids)


async def test_a_refusal_has_just_these_fields(tab: MakeTab) -> None:
    async with tab("ana") as ana:
        await ana.sends("poison", messageId="m1")
        answer = await ana.hears("error")
        assert MOMENT.fullmatch(answer.pop("createTime"))
        text = answer["payload"].pop("error")
        assert isinstance(text, str)
        assert text
        assert answer == {
            "type": "error",
            "fromUser": "system",
            "payload": {"code": "unknown_type", "inReplyTo": "m1"},
        }


async def test_a_refusal_replies_to_no_id_where_there_was_none(tab: MakeTab) -> None:
    async with tab("ana") as ana:
        assert "inReplyTo" not in await ana.asks("poison", "error")


async def test_a_handler_that_fails_says_so_and_no_more_and_the_socket_lives_on(
    tab: MakeTab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr("chat.services.messages.Messages.keep_in_room", fail)
    async with tab("ana", room="attic") as ana:
        await ana.says("hello", messageId="m1")
        answer = await ana.hears("error")
        assert answer["payload"]["code"] == "internal"
        assert answer["payload"]["inReplyTo"] == "m1"
        assert MOMENT.fullmatch(answer.pop("createTime"))  # in which there may be a 42
        assert "42" not in str(answer)
        await ana.hears_nothing()
    assert "the secret is 42" in caplog.text


async def test_a_message_id_that_is_too_long_is_not_sent_back(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana:
        await ana.says("hello", messageId="x" * 65)
        assert set((await ana.hears("error"))["payload"]) == {"error", "code"}
