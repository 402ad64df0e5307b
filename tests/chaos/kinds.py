"""The kinds of faults: what each is, which part of the stage it harms, and how long it lasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Part = Literal["socket", "network", "endpoint", "tokens", "broker", "process"]
"""Of two faults that harm one part the second waits until the first is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """``seconds`` are the shortest and the longest time that it lasts; (0, 0): a moment."""

    name: str
    part: Part
    says: str
    seconds: tuple[float, float] = (0.0, 0.0)
    by_default: bool = True


_ALL = (
    Kind(name="fin", part="network", says="every connection ends without a Close"),
    Kind(name="rst", part="network", says="every connection is reset"),
    Kind(name="stall", part="network", says="nothing passes, in either direction", seconds=(0.5, 6.0)),
    Kind(
        name="lag",
        part="network",
        says="the connections of now pass everything on late",
        seconds=(2.0, 8.0),
        by_default=False,
    ),
    Kind(name="close_1013", part="socket", says="closed as a client that reads too slowly"),
    Kind(name="mute", part="socket", says="neither rows nor keep-alives"),
    Kind(name="silence", part="socket", says="no rows, but keep-alives", by_default=False),
    Kind(
        name="errors",
        part="socket",
        says="one result with errors and no data, then keep-alives alone",
        by_default=False,
    ),
    Kind(name="refused_upgrade", part="endpoint", says="upgrades are refused", seconds=(1.0, 4.0)),
    Kind(
        name="cap",
        part="endpoint",
        says="the plan has no room for one more stream: it acks and stays silent",
        seconds=(6.0, 10.0),
    ),
    Kind(
        name="crowded",
        part="endpoint",
        says="a stranger takes the place of a stream that ends: the next one acks and stays silent",
        seconds=(4.0, 8.0),
        by_default=False,
    ),
    Kind(name="expiry", part="tokens", says="tokens end before their time, and the sockets with them"),
    Kind(name="revocation", part="tokens", says="tokens are revoked, and one socket ends"),
    Kind(name="token_endpoint_down", part="tokens", says="no token is to be had", seconds=(2.0, 6.0)),
    Kind(name="broker_freeze", part="broker", says="Kafka stands still (SIGSTOP)", seconds=(1.0, 8.0)),
    Kind(name="broker_restart", part="broker", says="Kafka is killed, and started again"),
    Kind(name="sigterm", part="process", says="the connector is stopped, and started again"),
    Kind(name="kill", part="process", says="the connector is killed (SIGKILL), and started again"),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}
DEFAULT: Sequence[str] = tuple(kind.name for kind in _ALL if kind.by_default)


def chosen(text: str) -> tuple[str, ...]:
    """
    The kinds that ``text`` names, with commas between.

    ``default`` and ``all`` stand for many; ``-NAME`` takes one out, alone of the default;
    ``none`` is none.

    Raises:
        ValueError: One of them is not known.
    """
    named: list[str] = []
    for word in filter(None, (word.strip() for word in text.split(","))):
        if word in ("default", "all"):
            named += DEFAULT if word == "default" else KINDS
        elif word.removeprefix("-") in KINDS:
            named.append(word)
        elif word != "none":
            known = ", ".join((*KINDS, "default", "all", "none"))
            raise ValueError(f"no such kind of fault: {word}; there are {known}")
    if named and all(word.startswith("-") for word in named):
        named = [*DEFAULT, *named]
    less = {word.removeprefix("-") for word in named if word.startswith("-")}
    return tuple(kind for kind in dict.fromkeys(named) if not kind.startswith("-") and kind not in less)
