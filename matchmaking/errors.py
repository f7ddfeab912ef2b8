"""The error codes that only matchmaking uses."""

from aleatoria.wire.errors import Client, ErrorCode

NOT_MATCHED = ErrorCode("not_matched", "the sender is not in a call with `toUser`", Client.DROP_REQUEST)
