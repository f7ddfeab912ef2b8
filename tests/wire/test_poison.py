"""What nobody should send: answered as the protocol says, and nobody else hears a byte of it."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.sync.client import connect

from tests.conftest import MakeServer, MakeTab
from tests.support import poison
from tests.support.tab import Frame, Tab, strictly

pytestmark = pytest.mark.usefixtures("quiet_log")
many = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def quiet_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing a client sends is worth a line in the log, let alone a traceback."""
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def table(frames: dict[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("frame", list(frames.values()), ids=list(frames))


async def answer_to(tab: MakeTab, frame: str | bytes) -> Frame:
    """What eve hears to `frame`, once; ana, in the same room, hears nothing, and eve can go on."""
    async with tab("ana", room="attic") as ana, tab("eve", room="attic") as eve:
        await send(eve, frame)
        (answer,) = await eve.heard()
        await ana.hears_nothing()
        return answer


async def send(tab: Tab, frame: str | bytes) -> None:
    await (tab.sends_bytes(frame) if isinstance(frame, bytes) else tab.sends_text(frame))


def assert_no_envelope(answer: Frame, code: str) -> None:
    assert answer["type"] == "error_response"
    assert answer["payload"]["error"] == "Invalid message structure"
    assert answer["payload"]["code"] == code


def assert_refused(answer: Frame, code: str) -> None:
    assert answer["type"] == "error"
    assert answer["fromUser"] == "system"
    assert answer["payload"]["code"] == code


@table(poison.NO_ENVELOPE | poison.UNSAID)
async def test_a_text_that_is_no_envelope_is_malformed(tab: MakeTab, frame: str) -> None:
    assert_no_envelope(await answer_to(tab, frame), "malformed")


@table(poison.BINARY)
async def test_a_binary_frame_is_malformed(tab: MakeTab, frame: bytes) -> None:
    assert_no_envelope(await answer_to(tab, frame), "malformed")


@table(poison.TOO_LARGE)
async def test_more_than_64_kib_is_too_large(tab: MakeTab, frame: str | bytes) -> None:
    assert_no_envelope(await answer_to(tab, frame), "too_large")


@pytest.mark.parametrize("kind", poison.UNKNOWN_TYPES, ids=ascii)
async def test_a_type_nobody_knows_is_refused(tab: MakeTab, kind: str) -> None:
    fields = {"type": kind, "room": "attic", "payload": {"content": "poison"}, "fromUser": "ana", "messageId": "m1"}
    answer = await answer_to(tab, json.dumps(fields))
    assert_refused(answer, "unknown_type")
    assert answer["payload"]["inReplyTo"] == "m1"


@table(poison.INVALID_FIELDS)
async def test_a_field_that_cannot_be_is_refused(tab: MakeTab, frame: str) -> None:
    assert_refused(await answer_to(tab, frame), "invalid_field")


async def test_an_unknown_type_reaches_nobody_through_a_direct_message_either(tab: MakeTab) -> None:
    frame = '{"type":"websocket.send","toUser":"ana","text":"poison","payload":{"text":"poison"}}'
    assert_refused(await answer_to(tab, frame), "unknown_type")


@pytest.mark.parametrize("frame", [poison.LARGEST, poison.DEEPEST], ids=["64 KiB", "32 levels"])
async def test_what_just_may_be_is_passed_on(tab: MakeTab, frame: str) -> None:
    async with tab("ana", room="attic") as ana, tab("eve", room="attic") as eve:
        await eve.sends_text(frame)
        assert (await ana.hears("chat_message"))["payload"] == json.loads(frame)["payload"]


@pytest.mark.parametrize(
    ("frame", "code"),
    [(b'{"type":"get_rooms","poison":"\xff"}', "malformed"), (b"x" * (poison.BYTES + 1), "too_large")],
    ids=["not UTF-8", "64 KiB and a byte"],
)
@pytest.mark.filterwarnings(r"ignore:unclosed file .*server\.log")  # ServerProcess leaves its log to be collected
def test_a_real_server_answers_what_it_could_not_even_read(server: MakeServer, frame: bytes, code: str) -> None:
    with server() as running, connect(f"ws{running.url.removeprefix('http')}/ws?userId=eve") as eve:
        eve.send(frame, text=True)
        assert_no_envelope(strictly(str(eve.recv(timeout=5))), code)
        eve.send('{"type":"get_rooms"}')
        assert strictly(str(eve.recv(timeout=5)))["type"] == "rooms_list"
        assert "Traceback" not in running.logged()


async def test_nineteen_malformed_frames_are_answered_and_the_twentieth_closes(tab: MakeTab) -> None:
    async with tab("ana", room="attic") as ana, tab("eve", room="attic") as eve:
        for _ in range(20):
            await eve.sends_text("poison")
        for _ in range(20):
            assert_no_envelope(await eve.hears("error_response"), "malformed")
        assert await eve.hears_close() == 4400
        await ana.hears_nothing()


async def test_refused_requests_are_not_counted_as_malformed(tab: MakeTab) -> None:
    async with tab("eve", room="attic") as eve:
        for _ in range(40):
            await eve.sends("poison")
        assert len(await eve.heard()) == 40


async def test_one_tabs_poison_does_not_close_the_other(tab: MakeTab) -> None:
    async with tab("eve", room="attic") as one, tab("eve", room="attic") as other:
        for _ in range(20):
            await one.sends_text("poison")
        assert await one.hears_close() == 4400
        await other.hears_nothing()


def texts() -> st.SearchStrategy[str]:
    """Any text JSON can write, lone surrogates too."""
    return st.text(st.characters(), max_size=20)


def values() -> st.SearchStrategy[Any]:
    """Any value Python writes as JSON, what is not JSON too."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts()
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(texts(), inner), max_leaves=10)


def messages() -> st.SearchStrategy[dict[str, Any]]:
    """Almost messages: the right fields, some with any value, some with a likely one."""
    kinds = ["chat_message", "join_room", "leave_room", "get_rooms", "get_recent_messages", "get_direct_messages"]
    payload = st.fixed_dictionaries(
        {}, optional={name: values() for name in ("content", "limit", "before", "after", "cursor", "withUser")}
    )
    fields: dict[str, st.SearchStrategy[Any]] = {
        "type": st.sampled_from([*kinds, "hello"]) | texts(),
        "room": st.just("cellar") | values(),
        "toUser": st.just("bob") | values(),
        "payload": payload | values(),
        "fromUser": st.just("ana") | values(),
        "messageId": texts() | values(),
        "incoming": values(),
        "poison": values(),
    }
    return st.fixed_dictionaries({}, optional=fields)


@given(text=st.text(max_size=200))
@many
async def test_any_text_is_answered_once_with_malformed(tab: MakeTab, text: str) -> None:
    assert_no_envelope(await answer_to(tab, text), "malformed")


@given(value=values())
@many
async def test_any_json_is_answered_once_with_malformed(tab: MakeTab, value: Any) -> None:
    assert_no_envelope(await answer_to(tab, json.dumps(value)), "malformed")


@given(message=messages())
@many
async def test_whatever_almost_is_a_message_nobody_else_hears_of_it(tab: MakeTab, message: dict[str, Any]) -> None:
    async with tab("ana", room="attic") as ana, tab("eve", room="attic") as eve:
        await eve.sends_text(json.dumps(message))
        assert len(await eve.heard()) <= 1
        await ana.hears_nothing()
