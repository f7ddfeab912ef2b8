"""Random calls on a socket."""

from matchmaking.consumers.signaling import SignalingConsumer
from matchmaking.consumers.waiting import WaitingConsumer


class MatchmakingConsumer(WaitingConsumer, SignalingConsumer):
    """One socket of a user who may wait for a call, or be in one."""
