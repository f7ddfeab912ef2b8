"""To which family a key belongs, and patterns that match one text only."""

import pytest
import redis

from aleatoria import node
from aleatoria.valkey import keys as module

FAMILIES = {
    "room:messages:attic": "room:messages:",
    "available:webrtc": "available:webrtc",
    "stats:hour:2026112412": "stats:hour:",
}


@pytest.mark.parametrize(("key", "prefix"), FAMILIES.items(), ids=FAMILIES)
def test_a_key_is_of_the_family_whose_prefix_it_has(key: str, prefix: str) -> None:
    assert node  # with it all stores have been imported
    kind = module.kind_of(key)
    assert kind is not None
    assert kind.prefix == prefix


@pytest.mark.parametrize("key", ["available:webrtc2", "available:webrtc:", "users:online2", "room:", "messages", ""])
def test_a_key_that_only_begins_like_one_is_of_none(key: str) -> None:
    assert module.kind_of(key) is None


@pytest.mark.plants
def test_a_pattern_matches_just_the_text(keys: redis.Redis) -> None:
    odd = ["a?b", "a*b", "a[x]b", "a\\b", "a^b", "[", "\\", "*", "?"]
    for name in [*odd, "axb", "ab", "axxb", "x"]:
        keys.set(name, "")
    for name in odd:
        assert list(keys.scan_iter(match=module.literally(name))) == [name.encode()]
