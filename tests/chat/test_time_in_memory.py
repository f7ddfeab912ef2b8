"""What a process remembers by itself: for how long, and of how many."""

from types import SimpleNamespace

import pytest

from chat.store import membership, repeats, tidying
from chat.store.membership import MemoryMembership
from chat.store.repeats import Mark, SentHere
from chat.store.tidying import Tidying

MINUTE = 60.0


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sent(clock: Clock) -> SentHere:
    """No marks yet."""
    return SentHere(clock)


def mark(message_id: str, said: str = "hello", created: str = "2025-10-10T12:00:00.000001Z") -> Mark:
    """The mark of a message of ana's."""
    return Mark.of("ana", message_id, created, said.encode())


# Marks of messages that may be sent again


@pytest.mark.parametrize("minutes", [0, 4.9])
def test_an_id_is_known_for_five_minutes(sent: SentHere, clock: Clock, minutes: float) -> None:
    sent.remember(mark("m1"))
    clock.now += minutes * MINUTE
    assert sent.first(mark("m1", "something else")) == mark("m1")


@pytest.mark.parametrize("minutes", [5, 5.1, 49])
def test_after_five_minutes_an_id_may_be_used_again(sent: SentHere, clock: Clock, minutes: float) -> None:
    sent.remember(mark("m1"))
    clock.now += minutes * MINUTE
    assert sent.first(mark("m1", "something else")) is None


def test_an_id_that_is_used_again_after_five_minutes_is_known_for_five_more(sent: SentHere, clock: Clock) -> None:
    sent.remember(mark("m1"))
    clock.now += 6 * MINUTE
    sent.remember(mark("m1", "something else"))
    clock.now += 4 * MINUTE
    assert sent.first(mark("m1")) == mark("m1", "something else")


def test_a_repeat_makes_no_id_known_for_longer(sent: SentHere, clock: Clock) -> None:
    sent.remember(mark("m1"))
    clock.now += 4 * MINUTE
    sent.remember(mark("m1"))
    clock.now += 2 * MINUTE
    assert sent.first(mark("m1")) is None


def test_the_first_message_under_an_id_is_the_one_that_is_known(sent: SentHere) -> None:
    sent.remember(mark("m1"))
    sent.remember(mark("m1", "something else", "2025-10-10T12:00:09.000001Z"))
    assert sent.first(mark("m1", "a third thing")) == mark("m1")


def test_marks_whose_time_is_up_are_not_held_until_there_are_too_many(sent: SentHere, clock: Clock) -> None:
    for number in range(100):
        sent.remember(mark(f"m{number}"))
    clock.now += 6 * MINUTE
    sent.remember(mark("new"))
    assert len(sent._marks) == 1


def test_of_very_many_marks_the_oldest_are_forgotten(sent: SentHere) -> None:
    for number in range(100_003):
        sent.remember(Mark(f"sent:ana:m{number}", "now"))
    known = [bool(sent.first(Mark(f"sent:ana:m{number}", ""))) for number in range(5)]
    assert known == [False, False, False, True, True]
    assert repeats.MAX_REMEMBERED == 100_000


def test_an_id_that_is_used_again_counts_as_new_among_very_many(
    sent: SentHere, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "MAX_REMEMBERED", 2)
    sent.remember(mark("m1"))
    clock.now += 6 * MINUTE
    for message_id in ("m2", "m1", "m3"):
        sent.remember(mark(message_id))
    assert [bool(sent.first(mark(message_id))) for message_id in ("m1", "m2", "m3")] == [True, False, True]


# What has been tidied


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which keys are tidied."""
    watch = Clock()
    monkeypatch.setattr(tidying, "time", SimpleNamespace(monotonic=watch))
    return watch


def test_a_key_is_tidied_at_once_and_then_once_a_second(watch: Clock) -> None:
    tidied = Tidying()
    due = []
    for _ in range(9):
        due.append(tidied.is_due("attic"))
        watch.now += 0.3
    assert due == [True, False, False, False, True, False, False, False, True]


def test_each_key_is_tidied_by_itself(watch: Clock) -> None:
    tidied = Tidying()
    assert [tidied.is_due(key) for key in ("attic", "zoo", "attic", "zoo")] == [True, True, False, False]


def test_which_of_very_many_keys_have_been_tidied_is_forgotten(watch: Clock) -> None:
    tidied = Tidying()
    for number in range(10_000):
        tidied.is_due(f"room {number}")
    assert tidied.is_due("room 0") is False
    assert tidied.is_due("one more") is True
    assert tidied.is_due("room 0") is True


# Memberships during an outage


def test_memory_holds_a_hundred_thousand_users_and_no_more() -> None:
    memory = MemoryMembership()
    for number in range(100_003):
        memory.remember(f"user{number}", ["attic"])
    remembered = memory.take_all()
    assert (len(remembered), remembered[0][0]) == (membership.MAX_REMEMBERED, "user3")
    assert membership.MAX_REMEMBERED == 100_000


async def test_memory_holds_twice_as_many_left_rooms_as_a_user_may_be_in(settings: SimpleNamespace) -> None:
    settings.MAX_ROOMS_PER_USER = 3
    memory = MemoryMembership()
    for number in range(100):
        await memory.leave("ana", f"room {number}")
    assert memory.take_all() == [("ana", set(), {f"room {number}" for number in range(6)})]
