"""The error codes that only chat uses."""

from aleatoria.wire.errors import Client, ErrorCode

NOT_IN_ROOM = ErrorCode("not_in_room", "the user is not in the room, so `join_room` comes first", Client.DO_AS_TOLD)
TOO_MANY_ROOMS = ErrorCode(
    "too_many_rooms", "the user is in `MAX_ROOMS_PER_USER` rooms, so `leave_room` comes first", Client.DO_AS_TOLD
)
