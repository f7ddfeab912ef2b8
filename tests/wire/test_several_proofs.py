"""Which of several proofs decides who is on a connection."""

from collections.abc import Callable
from itertools import combinations

import pytest

from tests.conftest import MakeTab
from tests.support.proofs import Proof, cookie, empty, expired, forged, header, query, subprotocol, token, who

# The proofs in the order in which the server looks at them.
GUESTS: dict[str, Callable[[str], Proof]] = {
    "header": lambda user: header(token(user)),
    "subprotocol": lambda user: subprotocol(token(user)),
    "cookie": lambda user: cookie(token(user)),
    "query": query,
}
BAD: dict[str, Callable[[], Proof]] = {
    f"{kind.__name__}, {why.__name__}": lambda kind=kind, why=why: kind(why("eve"))  # type: ignore[misc]
    for kind in (header, subprotocol, cookie)
    for why in (forged, expired, empty)
}


@pytest.mark.parametrize(("first", "second"), list(combinations(GUESTS, 2)))
async def test_the_first_proof_decides(tab: MakeTab, first: str, second: str) -> None:
    assert await who(tab, GUESTS[first]("ana").and_also(GUESTS[second]("bob"))) == "ana"


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        (bad, good)
        for bad in BAD
        for good in GUESTS
        if list(GUESTS).index(bad.partition(",")[0]) < list(GUESTS).index(good)
    ],
)
async def test_a_bad_first_proof_is_refused_not_skipped(tab: MakeTab, bad: str, good: str) -> None:
    assert await who(tab, BAD[bad]().and_also(GUESTS[good]("ana"))) == 4401


@pytest.mark.parametrize("good", ["header", "subprotocol"])
async def test_a_bad_second_proof_is_not_looked_at(tab: MakeTab, good: str) -> None:
    later = list(GUESTS)[list(GUESTS).index(good) + 1 :]
    for bad in [bad for bad in BAD if bad.partition(",")[0] in later]:
        assert await who(tab, GUESTS[good]("ana").and_also(BAD[bad]())) == "ana"
