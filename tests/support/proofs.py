"""Proofs of identity for handshakes, valid and invalid, and the user that the server then sees."""

import time
from typing import NamedTuple
from urllib.parse import quote

from aleatoria.wire import identity
from tests.conftest import MakeTab
from tests.support.tab import Closed

PAGE = {"origin": "http://testserver", "host": "testserver"}


class Proof(NamedTuple):
    """The parts of a handshake that say who the user is."""

    headers: dict[str, str] = {}
    cookies: dict[str, str] = {}
    subprotocols: tuple[str, ...] = ()
    query: str = ""

    def and_also(self, other: "Proof") -> "Proof":
        """Return a handshake with both."""
        return Proof(
            self.headers | other.headers,
            self.cookies | other.cookies,
            self.subprotocols + other.subprotocols,
            self.query or other.query,
        )


NOBODY = Proof()


def token(user: str, *, ends_in: float = 60.0) -> str:
    return identity.sign(user, time.time() + ends_in)


def expired(user: str) -> str:
    return token(user, ends_in=-1)


def forged(user: str) -> str:
    """Return a token for `user` with the signature of another user's token."""
    return token(user).rpartition("~")[0] + "~" + token("eve").rpartition("~")[2]


def empty(user: str) -> str:
    return ""


def header(text: str) -> Proof:
    return Proof({"authorization": f"Bearer {text}"})


def subprotocol(text: str) -> Proof:
    return Proof(subprotocols=("aleatoria.v1", f"bearer.{text}"))


def cookie(text: str) -> Proof:
    return Proof(cookies={"aleatoria_guest": text})


def session(key: str) -> Proof:
    return Proof(cookies={"sessionid": key})


def query(user: str) -> Proof:
    return Proof(query=f"userId={quote(user)}")


async def who(tab: MakeTab, proof: Proof) -> str | int:
    """Connect; return the user id in `welcome`, or the code with which the server closes."""
    cookies = {"cookie": "; ".join(f"{name}={value}" for name, value in proof.cookies.items())} if proof.cookies else {}
    headers = PAGE | proof.headers | cookies
    async with tab("?", query=proof.query, headers=headers, subprotocols=proof.subprotocols) as there:
        await there.sends("hello")
        try:
            return str((await there.hears("welcome"))["payload"]["userId"])
        except Closed as closed:
            return closed.code
