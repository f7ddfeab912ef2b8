"""The script: the scenes in the order in which they are played."""

from tests.recording.scenes import by_kind, calls, entry, faults, histories, odd_frames, outages, people, rooms, strict
from tests.recording.stage import Stage


async def conversation(stage: Stage) -> None:
    """Everything that all kinds of servers answer alike. It ends with the servers."""
    left_alone = await calls.a_caller_is_lost(stage)
    await entry.doors(stage)
    await rooms.rooms(stage)
    await rooms.messages(stage)
    await rooms.addresses(stage)
    await rooms.repeats(stage)
    await histories.room_histories(stage)
    await histories.direct_histories(stage)
    await histories.pages_by_size(stage)
    await people.people(stage)
    await people.conversations(stage)
    await odd_frames.no_envelopes(stage)
    await odd_frames.lenience(stage)
    await calls.calls(stage)
    await calls.ends_of_calls(stage)
    await calls.refused_signals(stage)
    await calls.second_tabs(stage)
    await entry.paths(stage)
    await faults.a_fault_of_the_server(stage)
    await faults.a_slow_reader(stage)
    await faults.a_purge(stage)
    await strict.tokens(stage)
    await strict.rates(stage)
    await strict.open_signaling(stage)
    await strict.pages(stage)
    await calls.the_lost_caller_does_not_come_back(stage, left_alone)
    await outages.a_full_valkey(stage)
    await outages.an_outage(stage)
    await faults.the_end(stage)


async def differences(stage: Stage) -> None:
    """What is up to the server that carries the application: headers, and what it does with broken frames."""
    await by_kind.handshakes(stage)
    await by_kind.headers(stage)
    await by_kind.broken_frames(stage)
