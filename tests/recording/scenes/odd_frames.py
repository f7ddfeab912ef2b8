"""Frames that a client should not send, and frames that only look so."""

from tests.recording.scenes.steps import goodbye
from tests.recording.stage import Stage

LARGEST = 65536
"""Bytes of the largest frame that the server reads."""


def sized(size: int) -> str:
    """Return a message with so many bytes."""
    frame = (
        '{"type": "chat_message", "room": "swamp", "messageId": "f-1", "payload": {"content": "large", "more": "%s"}}'
    )
    return frame % ("x" * (size - len(frame) + 2))


def nested(levels: int) -> str:
    """Return a message with so many levels, of which the envelope and the payload are the first two."""
    deep = levels - 2
    more = f"{'[' * deep}1{']' * deep}"
    return f'{{"type": "chat_message", "room": "swamp", "payload": {{"content": "deep", "more": {more}}}}}'


async def no_envelopes(stage: Stage) -> None:
    stage.heading("Frames that are no envelope")
    host = stage.lenient
    odd: list[str | bytes] = [
        "hello", "", " ", "{", "[]", "null", "1", '"type"', "{}", "[{}]", '{"type": "get_rooms"} {}',
        '{"type": "get_rooms",}', "{'type': 'get_rooms'}", '\ufeff{"type": "get_rooms"}', '{"type": "get\nrooms"}',
    ]  # fmt: skip
    fields: list[str | bytes] = [
        '{"type": null}', '{"type": ""}', '{"type": 1}', '{"type": ["hello"]}', '{"Type": "hello"}',
        '{"type": "hello", "payload": []}', '{"type": "hello", "payload": "{}"}', '{"type": "hello", "payload": 0}',
        '{"type": "hello", "room": 1}', '{"type": "hello", "toUser": {}}', '{"type": "hello", "messageId": 1}',
        '{"type": "hello", "fromUser": 1}', '{"type": "hello", "createTime": 1}', '{"type": "hello", "incoming": "yes"}',
    ]  # fmt: skip
    values: list[str | bytes] = [
        '{"type": "hello", "more": NaN}', '{"type": "hello", "more": -Infinity}', '{"type": "hello", "more": 1e999}',
        f'{{"type": "hello", "more": {"9" * 310}}}', '{"type": "hello", "payload": {"more": "\\ud800"}}',
        '{"type": "hello", "more": "\\udc00\\ud800"}', '{"type": "hello", "more": 01}', nested(33),
        f'{{"type": "hello", "more": {"[" * 2000}', sized(LARGEST + 1), sized(2 * LARGEST), b'{"type": "hello"}', b"",
        b"\x00\xff", b"x" * (LARGEST + 1),
    ]  # fmt: skip
    for number, frames in enumerate((odd, fields, values), start=1):
        olaf = await host.enters(f"olaf{number}", room="swamp")
        for frame in frames:
            await olaf.sends(frame)
        await goodbye(olaf)
    olaf = await host.enters("olaf4", path="/ws/matchmaking")
    await olaf.sends_text_of(b'{"type": "hello", "more": "\xff"}')
    await olaf.sends_text_of(b'{"type": "hello", "more": "\xed\xa0\x80"}')
    await olaf.sends("hello")

    stage.heading("The twentieth of them within a minute")
    for _ in range(17):
        await olaf.sends("hello")
    assert not olaf.is_open


async def lenience(stage: Stage) -> None:
    stage.heading("Frames that look odd and are fine")
    host = stage.lenient
    otto = await host.enters("otto", room="swamp")
    for frame in [
        nested(32),
        sized(LARGEST),
        '{"type": null, "type": "get_rooms"}',
        '{"type": "get_rooms", "room": null, "payload": null, "messageId": null, "more": null}',
        '{"type": "\\u0067et_rooms", "incoming": false, "more": 1e308}',
        '{"type": "get_rooms", "fromUser": "system", "createTime": "x"}',
        '{"type": "get_rooms", "toUser": "not a user", "messageId": "o-1"}',
        '{"type": "get_rooms", "room": " not a room ", "messageId": "o-2"}',
        f'{{"type": "get_rooms", "messageId": "{"o" * 65}"}}',
        '{"type": "no such type", "messageId": "o-3"}',
        '{"type": "GET_ROOMS", "messageId": "o-4"}',
        '{"type": "__init__", "messageId": "o \\"5\\" \\ud83d\\ude00"}',
        '{"type": "error"}',
        '{"type": "server_status", "payload": {"degraded": true}}',
    ]:
        await otto.sends(frame)
    await otto.sends_fragments('{"type": "get', '_rooms", ', '"payload": {}}')
    await otto.pings(b"are you there?")
    await goodbye(otto)
