"""Frames that no client should send, by name, for `test_poison.py`."""

import json
from typing import Any

BYTES = 65536
"""The size of the largest frame that is read."""


def _saying(content: str) -> str:
    return f'{{"type":"chat_message","room":"attic","payload":{{"content":"poison","extra":{content}}}}}'


def _nested(levels: int) -> str:
    """Return a chat message with so many levels, the envelope and the payload included."""
    inner = levels - 2
    return _saying('{"a":' * inner + "1" + "}" * inner)


def _sized(size: int, filler: str = "x") -> str:
    """Return a chat message of so many bytes."""
    frame = _saying('"%s"')
    room = size - len(frame % "")
    width = len(filler.encode())
    return frame % (filler * (room // width) + "x" * (room % width))


_NOT_JSON = {
    "nothing": "",
    "blank": " \t\r\n",
    "a word": "poison",
    "half a message": '{"type":"chat_message","room":"attic"',
    "an open string": '{"type":"chat_message',
    "one brace": "{",
    "one closing brace": "}",
    "one bracket": "[",
    "two messages": '{"type":"get_rooms"}{"type":"get_rooms"}',
    "two lines": '{"type":"get_rooms"}\n{"type":"get_rooms"}',
    "something behind": '{"type":"get_rooms"} poison',
    "a NUL behind": '{"type":"get_rooms"}\x00',
    "a byte order mark": '\ufeff{"type":"get_rooms"}',
    "single quotes": "{'type':'get_rooms'}",
    "no quotes": "{type:get_rooms}",
    "a trailing comma": '{"type":"get_rooms",}',
    "two commas": '{"type":"get_rooms",,"room":"attic"}',
    "no colon": '{"type" "get_rooms"}',
    "a comment": '{"type":"get_rooms"/* poison */}',
    "a line comment": '// poison\n{"type":"get_rooms"}',
    "a raw line break": '{"type":"get\nrooms"}',
    "a raw tab": '{"type":"get\trooms"}',
    "a raw NUL": '{"type":"get\x00rooms"}',
    "an unknown escape": r'{"type":"get\x5frooms"}',
    "a short escape": r'{"type":"\u12"}',
    "an escape that is not hexadecimal": r'{"type":"\u00zz"}',
    "a lonely backslash": '{"type":"\\',
    "XML": "<message type='get_rooms'/>",
    "YAML": "type: get_rooms",
    "a form": "type=get_rooms&room=attic",
    "a JavaScript call": 'alert("poison")',
    "a JSON sequence": '\x1e{"type":"get_rooms"}',
    "socket.io's frame": '42["chat_message",{"room":"attic"}]',
    "a Python dict": "{'type': None}",
    "a capital True": _saying("True"),
    "NaN": _saying("NaN"),
    "nan": _saying("nan"),
    "minus NaN": _saying("-NaN"),
    "Infinity": _saying("Infinity"),
    "minus Infinity": _saying("-Infinity"),
    "undefined": _saying("undefined"),
    "a leading zero": _saying("01"),
    "a leading plus": _saying("+1"),
    "no digit before the point": _saying(".5"),
    "no digit behind the point": _saying("5."),
    "no exponent": _saying("5e"),
    "a hexadecimal number": _saying("0x10"),
    "a number with underscores": _saying("1_000"),
    "a number of other digits": _saying("\u0661"),
    "two minus signs": _saying("--1"),
}

_NUMBERS = {
    "1e999": _saying("1e999"),
    "minus 1e999": _saying("-1e999"),
    "1E+400": _saying("1E+400"),
    "1e309": _saying("1e309"),
    "a little beyond the largest double": _saying("1.7976931348623159e308"),
    "an exponent of many digits": _saying("1e" + "9" * 400),
    "310 digits": _saying("9" * 310),
    "400 digits": _saying("9" * 400),
    "minus 400 digits": _saying("-" + "9" * 400),
    "5000 digits": _saying("9" * 5000),
    "minus 5000 digits": _saying("-" + "9" * 5000),
    "5000 digits and a fraction": _saying("9" * 5000 + ".5"),
    "60000 digits": _saying("9" * 60000),
    "400 digits in a list": _saying("[1," + "9" * 400 + "]"),
    "400 digits in an unknown field": '{"type":"get_rooms","poison":%s}' % ("9" * 400),
    "1e999 in an unknown field": '{"type":"get_rooms","poison":1e999}',
    "1e999 for the room": '{"type":"get_rooms","room":1e999}',
    "1e999 for the limit": '{"type":"get_recent_messages","room":"attic","payload":{"limit":1e999}}',
    "1e999 alone": "1e999",
    "400 digits alone": "9" * 400,
}

_SURROGATES = {
    f"{what} {where}": frame % half
    for what, half in {
        "half a pair": r"\ud800",
        "the other half": r"\udfff",
        "a pair the wrong way round": r"\ude00\ud83d",
        "two first halves": r"\ud83d\ud83d",
        "half a pair and a letter": r"\ud83dx",
        "half a pair and an escape": r"\ud83d\u0041",
    }.items()
    for where, frame in {
        "in the type": '{"type":"get_rooms%s"}',
        "in the room": '{"type":"chat_message","room":"%s","payload":{"content":"poison"}}',
        "in toUser": '{"type":"chat_message","toUser":"%s","payload":{"content":"poison"}}',
        "in the messageId": '{"type":"chat_message","room":"attic","messageId":"%s","payload":{"content":"poison"}}',
        "in the content": '{"type":"chat_message","room":"attic","payload":{"content":"poison %s"}}',
        "in a name in the payload": '{"type":"chat_message","room":"attic","payload":{"content":"poison","%s":1}}',
        "deep in the payload": _saying('[{"a":["%s"]}]'),
        "in an unknown field": '{"type":"get_rooms","poison":"%s"}',
        "in an unknown field's name": '{"type":"get_rooms","%s":1}',
        "in fromUser": '{"type":"get_rooms","fromUser":"%s"}',
    }.items()
}

_NESTED = {
    "33 levels": _nested(33),
    "33 levels of lists": _saying("[" * 31 + "]" * 31),
    "33 levels in an unknown field": '{"type":"get_rooms","poison":%s}' % ("[" * 32 + "]" * 32),
    "100 levels": _nested(100),
    "10000 levels": _nested(10_000),
    "30000 open brackets": "[" * 30_000,
    "10000 open braces": '{"a":' * 10_000,
}

_NO_OBJECT = {
    f"{value} instead of a message": value
    for value in ("null", "true", "false", "0", "-1", "1.5", '"get_rooms"', "[]", '[{"type":"get_rooms"}]', '""')
}

_NO_TYPE = {
    "no field": "{}",
    "no type": '{"room":"attic","payload":{"content":"poison"}}',
    "an empty type": '{"type":"","room":"attic","payload":{"content":"poison"}}',
    "null for a type": '{"type":null,"room":"attic","payload":{"content":"poison"}}',
    "a capital Type": '{"Type":"chat_message","room":"attic","payload":{"content":"poison"}}',
    "a message in a list in a message": '{"messages":[{"type":"chat_message"}]}',
    "a type for a prototype": '{"__proto__":{"type":"get_rooms"}}',
}

_WRONG_TYPES = {
    f"{value} for {field}": json.dumps(
        {"type": "chat_message", "room": "attic", "payload": {"content": "poison"}} | {field: json.loads(value)}
    )
    for field, values in {
        "type": ("1", "true", "[]", "{}", "1.5"),
        "fromUser": ("1", "false", '["ana"]', "{}"),
        "toUser": ("1", "true", '["ana"]', '{"id":"ana"}'),
        "room": ("1", "true", '["attic"]', '{"name":"attic"}', "0"),
        "payload": ("1", "0", "true", "false", "[]", '[{"content":"poison"}]', '"poison"', '""', "1.5"),
        "messageId": ("1", "true", "[]", "{}"),
        "createTime": ("1", "true", "[]", "{}"),
        "incoming": ("1", "0", '"true"', '""', "[]", "{}"),
    }.items()
    for value in values
}

NO_ENVELOPE = _NOT_JSON | _NUMBERS | _SURROGATES | _NESTED | _NO_OBJECT | _NO_TYPE | _WRONG_TYPES
"""Answered with `malformed`."""

BINARY = {
    "no bytes": b"",
    "a message in bytes": b'{"type":"chat_message","room":"attic","payload":{"content":"poison"}}',
    "what is not UTF-8": b'{"type":"chat_message","room":"attic","payload":{"content":"\xff"}}',
    "UTF-8 cut short": b'{"type":"get_rooms","poison":"\xc3',
    "an overlong NUL": b'{"type":"get_rooms","poison":"\xc0\x80"}',
    "a surrogate in UTF-8": b'{"type":"get_rooms","poison":"\xed\xa0\x80"}',
    "UTF-16": '{"type":"get_rooms"}'.encode("utf-16"),
    "MessagePack": b"\x81\xa4type\xa9get_rooms",
    "zeros": bytes(64),
}
"""Answered with `malformed`."""

TOO_LARGE = {
    "64 KiB and a byte": _sized(BYTES + 1),
    "64 KiB and a byte in fewer characters": _sized(BYTES + 1, "\U0001f40d"),
    "64 KiB and a byte of nothing": " " * (BYTES + 1),
    "a megabyte": _sized(1024 * 1024),
    "100000 open brackets": "[" * 100_000,
    "100000 levels": _nested(100_000),
    "64 KiB and a byte in bytes": bytes(BYTES + 1),
}
"""Answered with `too_large`."""

UNKNOWN_TYPES = (
    # Python's
    "__init__", "__class__", "__call__", "__dict__", "__del__", "__doc__", "__getattr__", "__init_subclass__",
    "__reduce__", "eval", "exec", "None",
    # Channels' methods and events
    "as_asgi", "dispatch", "send", "receive", "connect", "disconnect", "close", "accept", "base_send", "channel_layer",
    "send_json", "websocket.send", "websocket.close", "websocket.accept", "websocket.connect", "websocket.receive",
    "websocket.disconnect", "websocket_send", "websocket_receive", "websocket_disconnect", "http.request",
    "group_send", "group_add",
    # the code's own
    "_answer", "_receive", "_deliver", "_handles", "handlers", "hears", "reply", "tell", "broadcast", "spawn", "enter",
    "leave", "say", "opened", "welcome", "room.joined", "room.left", "user_id", "rooms",
    # the server's messages
    "room_joined", "room_left", "rooms_list", "recent_messages", "direct_messages", "error", "error_response",
    "server_status", "system",
    # almost right
    "CHAT_MESSAGE", "chat_message ", " chat_message", "chat_message\u0000", "chat\u200b_message", "chat-message",
    "chatMessage", "chat.message", "\u0441hat_message", "get_rooms\n",
    # something else altogether
    " ", "\u0000", "0", "true", "null", "{}", "*", "../../etc/passwd", "{{7*7}}", "%s%s%s", "'; DROP TABLE users; --",
    "<script>alert(1)</script>", "\U0001f40d", "\u202e", "x" * 4096, "KEYS *", "\r\nFLUSHALL\r\n",
)  # fmt: skip
"""Types of well-formed messages, answered with `unknown_type`."""

_TO_A_ROOM: dict[str, Any] = {"type": "chat_message", "room": "attic"}
_SAYING: dict[str, Any] = {"payload": {"content": "poison"}}
_FIELDS: dict[str, dict[str, Any]] = {
    "no payload": _TO_A_ROOM,
    "null for the payload": _TO_A_ROOM | {"payload": None},
    "no content": _TO_A_ROOM | {"payload": {}},
    "null for the content": _TO_A_ROOM | {"payload": {"content": None}},
    "an empty content": _TO_A_ROOM | {"payload": {"content": ""}},
    "a number for the content": _TO_A_ROOM | {"payload": {"content": 5}},
    "a list for the content": _TO_A_ROOM | {"payload": {"content": ["poison"]}},
    "an object for the content": _TO_A_ROOM | {"payload": {"content": {"content": "poison"}}},
    "4001 characters": _TO_A_ROOM | {"payload": {"content": "x" * 4001}},
    "a capital Content": _TO_A_ROOM | {"payload": {"Content": "poison"}},
    "a room and a toUser": _TO_A_ROOM | {"toUser": "ana"} | _SAYING,
    "neither a room nor a toUser": _SAYING | {"type": "chat_message"},
    "an empty room": _SAYING | {"type": "chat_message", "room": ""},
    "null for the room": _SAYING | {"type": "chat_message", "room": None},
    "a messageId of 65 characters": _TO_A_ROOM | _SAYING | {"messageId": "x" * 65},
    "a messageId of 60000 characters": _TO_A_ROOM | _SAYING | {"messageId": "x" * 60_000},
    "braces in the room": _SAYING | {"type": "chat_message", "room": "{attic}"},
    "a NUL in the room": _SAYING | {"type": "chat_message", "room": "attic\0"},
    "a line break in the room": {"type": "join_room", "room": "attic\nFLUSHALL"},
    "a zero width space in the room": {"type": "join_room", "room": "attic\u200b"},
    "a space behind the room": _SAYING | {"type": "chat_message", "room": "attic "},
    "a space before the room": {"type": "join_room", "room": " attic"},
    "65 characters for a room": {"type": "join_room", "room": "x" * 65},
    "20000 combining marks for a room": {"type": "join_room", "room": "a" + "\u0301\u0316" * 10_000},
    "no room to join": {"type": "join_room"},
    "no room to leave": {"type": "leave_room"},
    "no room to recall": {"type": "get_recent_messages"},
    "system for toUser": _SAYING | {"type": "chat_message", "toUser": "system"},
    "a colon in toUser": _SAYING | {"type": "chat_message", "toUser": "ana:bob"},
    "a space in toUser": _SAYING | {"type": "chat_message", "toUser": "ana "},
    "an asterisk for toUser": _SAYING | {"type": "chat_message", "toUser": "*"},
    "a NUL in toUser": _SAYING | {"type": "chat_message", "toUser": "ana\0"},
    "65 characters for toUser": _SAYING | {"type": "chat_message", "toUser": "x" * 65},
    "a word for the limit": {"type": "get_recent_messages", "room": "attic", "payload": {"limit": "50"}},
    "true for the limit": {"type": "get_recent_messages", "room": "attic", "payload": {"limit": True}},
    "a list for the limit": {"type": "get_recent_messages", "room": "attic", "payload": {"limit": [50]}},
    "a number for before": {"type": "get_recent_messages", "room": "attic", "payload": {"before": 5}},
    "a word for before": {"type": "get_recent_messages", "room": "attic", "payload": {"before": "now"}},
    "a score for before": {"type": "get_recent_messages", "room": "attic", "payload": {"before": "+inf"}},
    "no zone for before": {
        "type": "get_recent_messages",
        "room": "attic",
        "payload": {"before": "2025-10-10T12:00:00"},
    },
    "a word for the cursor": {"type": "get_recent_messages", "room": "attic", "payload": {"cursor": "poison"}},
    "a cursor of bytes": {"type": "get_recent_messages", "room": "attic", "payload": {"cursor": "/////w=="}},
    "a number for the cursor": {"type": "get_recent_messages", "room": "attic", "payload": {"cursor": 1}},
    "nobody for withUser": {"type": "get_direct_messages", "payload": {}},
    "null for withUser": {"type": "get_direct_messages", "payload": {"withUser": None}},
    "a number for withUser": {"type": "get_direct_messages", "payload": {"withUser": 5}},
    "system for withUser": {"type": "get_direct_messages", "payload": {"withUser": "system"}},
    "a key for withUser": {"type": "get_direct_messages", "payload": {"withUser": "ana:bob"}},
    "a word for the events": {"type": "hello", "payload": {"events": "presence"}},
    "numbers for the events": {"type": "hello", "payload": {"events": [1]}},
}

INVALID_FIELDS = {name: json.dumps(fields, ensure_ascii=False) for name, fields in _FIELDS.items()}
"""Well-formed messages with fields that are not, answered with `invalid_field`."""

UNSAID = {
    "half a pair that is real": _saying('"\ud800"'),
}
"""Text no server can have received; answered with `malformed` all the same."""

LARGEST, DEEPEST = _sized(BYTES), _nested(32)
"""Messages that just may be."""
