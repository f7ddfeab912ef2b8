"""Draw the pictures of docs/architecture.md: `python -m tools.drawings` writes docs/architecture/*.svg.

Each picture is 400 units wide with text of at least 12, so that it can be read at 360 pixels. It has a background of
its own, and follows the light or dark scheme of the reader's system.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

DIRECTORY = Path(__file__).resolve().parent.parent / "docs" / "architecture"
WIDTH = 400
LINE = 15
"""From one line of text to the next."""
LEFT, RIGHT, CARD, BETWEEN = 12, 206, 182, 24
"""Where the columns of the picture of a message begin, how wide a card is, and how far apart cards are."""
STYLE = """
    svg { font: 12px system-ui, "DejaVu Sans", sans-serif }
    .paper { fill: #ffffff }
    text { fill: #1f2328 }
    .title { font-weight: 600; font-size: 14px }
    .name { font-weight: 600 }
    .quiet { fill: #59636e }
    .box { fill: #f3f5f8; stroke: #b8c0cc }
    .store { fill: #e3ecfa; stroke: #7d9cc9 }
    .lane { stroke: #b8c0cc; stroke-dasharray: 3 4 }
    .arrow { stroke: #0a58b8; stroke-width: 1.6; fill: none }
    .media { stroke: #9a4a00; stroke-width: 2.4; stroke-dasharray: 7 4; fill: none }
    .head { fill: #0a58b8 }
    .media-head { fill: #9a4a00 }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #0f141b }
      text { fill: #e6edf3 }
      .quiet { fill: #9da7b3 }
      .box { fill: #1a212b; stroke: #465060 }
      .store { fill: #17263f; stroke: #4a6fa8 }
      .lane { stroke: #465060 }
      .arrow { stroke: #6cb0ff }
      .media { stroke: #f0a35e }
      .head { fill: #6cb0ff }
      .media-head { fill: #f0a35e }
    }"""


class Point(NamedTuple):
    """A place in a picture, in units from the upper left corner."""

    x: float
    y: float


class Floor(NamedTuple):
    """A row of the picture of a message: what happens there on the way in and on the way out, file names first."""

    name: str
    way_in: Sequence[str]
    way_out: Sequence[str]


class Step(NamedTuple):
    """A step of the picture of a call: what happens, and between which lanes arrows run."""

    says: Sequence[str]
    arrows: Sequence[tuple[int, int]] = ()
    style: str = "arrow"


FLOORS = (
    Floor("clients", ["Ana's client", "sends chat_message"], ["all clients in the room", "get the same frame"]),
    Floor(
        "aleatoria/servers",
        ["daphne.py, inbox.py", "Parse the frame. At most", "64 frames wait here."],
        ["outbox.py, frames.py", "Frame the text once, write", "once per turn of the loop."],
    ),
    Floor(
        "aleatoria/wire",
        ["reception.py", "Decode, check, count", "against the rate, stamp,", "look up the handler."],
        ["output.py", "Only for sockets that", "cannot take the text", "at once."],
    ),
    Floor(
        "chat",
        ["consumers/messages.py", "Is Ana in the room?", "Encode the text once.", "services, store: one script"],
        [],
    ),
    Floor(
        "aleatoria/valkey",
        ["layer.py, pipeline.py", "Add channel and header.", "Leaves with the next flight", "of commands."],
        ["subscriber.py, layer.py", "Read it once per process,", "hand the text to each", "local socket."],
    ),
)
STORE = (
    "Valkey: room_history_append.lua",
    "In one step: return if the message is a repeat; keep",
    "the line, limit the size, set the expiry, publish.",
)
LANES = ("Ana", "process A", "Valkey", "process B", "Bob")
ANA, A, VALKEY, B, BOB = range(5)
STEPS = (
    Step(
        ["1  Bob sends user_available_webrtc. Process B holds Bob's", "side; Bob waits in the pool."],
        [(BOB, B), (B, VALKEY)],
    ),
    Step(
        ["2  Ana sends request_random_peer. One script takes Bob out", "of the pool and stores the pair."],
        [(ANA, A), (A, VALKEY)],
    ),
    Step(["3  The script returns peer, role and moment. Ana gets", "assign_role: impolite."], [(VALKEY, A), (A, ANA)]),
    Step(
        ["4  The event call.assigned goes to the group of Bob's side.", "Bob gets assign_role: polite."],
        [(A, VALKEY), (VALKEY, B), (B, BOB)],
    ),
    Step(
        ["5  Ana sends webrtc_offer. A: are the two in a call?", "B: is it from the current peer?"],
        [(ANA, A), (A, VALKEY), (VALKEY, B), (B, BOB)],
    ),
    Step(["6  Answer and candidates go the same way."], [(BOB, B), (B, VALKEY), (VALKEY, A), (A, ANA)]),
    Step(["7  Audio and video go directly between the two."], [(VALKEY, ANA), (VALKEY, BOB)], "media"),
    Step(
        ["8  Each process renews its leases every 15 s. Each sweeps", "expired leases every second."],
        [(A, VALKEY), (B, VALKEY)],
    ),
    Step(
        ["9  Bob sends hangup. One script ends the call; the event", "call.ended brings the hangup to Ana."],
        [(BOB, B), (B, VALKEY), (VALKEY, A), (A, ANA)],
    ),
)


def text(at: Point, says: str, style: str = "", *, middle: bool = False) -> str:
    """A line of text; its baseline begins at a point, or is centered there."""
    anchor = ' text-anchor="middle"' if middle else ""
    kind = f' class="{style}"' if style else ""
    return f'<text x="{at.x:g}" y="{at.y:g}"{kind}{anchor}>{escape(says)}</text>'


def box(at: Point, width: float, height: float, style: str = "box") -> str:
    """A box with its upper left corner at a point."""
    return f'<rect class="{style}" x="{at.x:g}" y="{at.y:g}" width="{width:g}" height="{height:g}" rx="6"/>'


def arrow(start: Point, end: Point, style: str = "arrow") -> str:
    """A straight arrow, horizontal or vertical."""
    dx, dy = _sign(end.x - start.x), _sign(end.y - start.y)
    back = Point(end.x - 7 * dx, end.y - 7 * dy)
    left, right = Point(back.x + 4 * dy, back.y + 4 * dx), Point(back.x - 4 * dy, back.y - 4 * dx)
    head = "media-head" if style == "media" else "head"
    corners = " ".join(f"{corner.x:g},{corner.y:g}" for corner in (end, left, right))
    return (
        f'<path class="{style}" d="M{start.x:g} {start.y:g}L{back.x:g} {back.y:g}"/>'
        f'<polygon class="{head}" points="{corners}"/>'
    )


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


def message() -> str:
    """The way of a message to a room: down on the left, up on the right."""
    drawn = [text(Point(LEFT, 24), "The way of a message to a room", "title")]
    drawn += [text(Point(LEFT, 44), "in: once", "quiet"), text(Point(RIGHT, 44), "out: in each process", "quiet")]
    top, sent_from = 74.0, 0.0
    for floor in FLOORS:
        bottom = top + _height(max(floor.way_in, floor.way_out, key=len))
        drawn.append(text(Point(LEFT, top - 6), floor.name, "quiet"))
        drawn += _card(Point(LEFT, top), CARD, bottom - top, floor.way_in)
        drawn.append(arrow(Point(LEFT + 150, bottom), Point(LEFT + 150, bottom + BETWEEN)))
        if floor.way_out:
            drawn += _card(Point(RIGHT, top), CARD, bottom - top, floor.way_out)
            drawn += [arrow(Point(RIGHT + 150, top), Point(RIGHT + 150, sent_from))] if sent_from else []
            sent_from = bottom
        top = bottom + BETWEEN
    drawn.append(arrow(Point(RIGHT + 150, top), Point(RIGHT + 150, sent_from)))
    drawn += _card(Point(LEFT, top), RIGHT + CARD - LEFT, _height(STORE), STORE, "store")
    return _svg(
        drawn, top + _height(STORE) + 12, "The way of a message from the sender's client to the clients in a room"
    )


def _height(lines: Sequence[str]) -> float:
    return len(lines) * LINE + 14


def _card(at: Point, width: float, height: float, lines: Sequence[str], style: str = "box") -> list[str]:
    """A box with lines of text, the first of which is a name."""
    drawn = [box(at, width, height, style)]
    for place, line in enumerate(lines):
        drawn.append(text(Point(at.x + 9, at.y + 18 + place * LINE), line, "" if place else "name"))
    return drawn


def call() -> str:
    """The way of a random call, from waiting to hanging up."""
    lanes = [28 + place * (WIDTH - 56) / (len(LANES) - 1) for place in range(len(LANES))]
    drawn, top = [text(Point(12, 24), "The way of a random call", "title")], 44
    steps: list[str] = []
    y = top + 30.0
    for step in STEPS:
        for line in step.says:
            steps.append(text(Point(12, y), line))
            y += LINE
        steps += [arrow(Point(lanes[one], y), Point(lanes[other], y), step.style) for one, other in step.arrows]
        y += 26
    for x, name in zip(lanes, LANES, strict=True):
        anchor = min(max(x, 34), WIDTH - 34)
        drawn.append(text(Point(anchor, top + 4), name, "name", middle=True))
    return _svg(drawn + _rails(lanes, STEPS, top + 30) + steps, y - 4, "The way of a random call between two users")


def _rails(lanes: Sequence[float], steps: Sequence[Step], top: float) -> list[str]:
    """Short pieces of each lane, at the arrows only: behind the text they would be in the way."""
    drawn, y = [], top
    for step in steps:
        y += len(step.says) * LINE
        drawn += [f'<path class="lane" d="M{x:g} {y - 9:g}V{y + 9:g}"/>' for x in lanes]
        y += 26
    return drawn


def _svg(drawn: Sequence[str], height: float, title: str) -> str:
    body = "\n  ".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}" '
        f'role="img" aria-label="{escape(title)}">\n  <style>{STYLE}\n  </style>\n'
        f'  <rect class="paper" width="{WIDTH}" height="{height:g}" rx="8"/>\n  {body}\n</svg>\n'
    )


PICTURES = {"message.svg": message, "call.svg": call}


def main() -> None:
    """Write all pictures."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        (DIRECTORY / name).write_text(draw())


if __name__ == "__main__":
    main()
