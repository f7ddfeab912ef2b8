"""What is read from a handshake in which something is said twice."""

from aleatoria.wire import identity
from tests.conftest import MakeTab


def headers(*pairs: tuple[str, str]) -> dict[str, str]:
    return identity.headers_of({"headers": [(name.encode(), value.encode()) for name, value in pairs]})


def test_cookies_in_several_headers_are_as_good_as_in_one() -> None:
    assert headers(("cookie", "a=1"), ("Cookie", "b=2"), ("host", "here")) == {"cookie": "a=1; b=2", "host": "here"}


def test_other_headers_of_one_name_are_joined_by_a_comma() -> None:
    assert headers(("X-Forwarded-For", "10.0.0.1"), ("x-forwarded-for", "10.0.0.2")) == {
        "x-forwarded-for": "10.0.0.1,10.0.0.2"
    }


async def test_of_two_user_ids_in_the_query_the_last_counts(tab: MakeTab) -> None:
    async with tab("bob", query="userId=ana&userId=bob") as bob:
        assert (await bob.asks("hello", "welcome"))["userId"] == "bob"
