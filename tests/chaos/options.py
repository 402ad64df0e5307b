"""What a run is about, from the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.kinds import DEFAULT, KINDS, chosen


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """
    One run's. ``seconds`` of faults, one about ``every`` so many; ``rate`` in rows a second for each of
    ``subscriptions``; ``token_life`` in seconds.

    ``rotation`` of ``None``: as the connector has it by default. ``identity``: the document selects what
    tells rows apart. ``repeats``: the upstream sends some rows twice, ``snapshot``: and so many of the last
    ones at the beginning of each session. ``events_topic``: gaps are read from there, and not from the log.
    ``absence_is_declared``: the connector itself tells when it was away. ``keep`` is where its logs stay;
    ``None``: nowhere.
    """

    seconds: float = 300.0
    seed: int = 1
    delivery: str = "at_least_once"
    rotation: str | None = None
    kinds: Sequence[str] = tuple(DEFAULT)
    every: float = 3.5
    rate: float = 200.0
    subscriptions: int = 2
    token_life: float = 8.0
    subprotocol: str | None = None
    identity: bool = True
    repeats: bool = False
    snapshot: int = 0
    events_topic: bool = False
    absence_is_declared: bool = False
    keep: Path | None = None


def options(argv: Sequence[str] | None = None) -> Options:
    """Read the command line; what makes no sense ends the program with a word about it."""
    usual = Options()
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        epilog="kinds: " + "; ".join(f"{kind.name}: {kind.says}" for kind in KINDS.values()),
    )
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="how long (%(default)g)")
    parser.add_argument("--seed", type=int, default=usual.seed, help="draws the faults (%(default)s)")
    parser.add_argument("--delivery", choices=["at_least_once", "exactly_once"], default=usual.delivery)
    parser.add_argument("--rotation", choices=["reopen", "overlap", "never"], help="default: the connector's")
    parser.add_argument("--kinds", type=_kinds, default=usual.kinds, help="NAME,… | default | all, -NAME")
    parser.add_argument("--every", type=float, default=usual.every, help="seconds a fault (%(default)g)")
    parser.add_argument("--rate", type=float, default=usual.rate, help="rows a second, each (%(default)g)")
    parser.add_argument("--subscriptions", type=int, default=usual.subscriptions, help="%(default)s")
    parser.add_argument("--token-life", type=float, default=usual.token_life, help="seconds (%(default)g)")
    parser.add_argument(
        "--subprotocol", choices=["graphql-transport-ws", "graphql-ws"], help="default: drawn by the seed"
    )
    parser.add_argument(
        "--no-identity", dest="identity", action="store_false", help="rows cannot be told apart"
    )
    parser.add_argument("--repeats", action="store_true", help="the upstream sends some rows twice")
    parser.add_argument("--snapshot", type=int, default=0, help="so many old rows begin each session")
    parser.add_argument("--events-topic", action="store_true", help="read gaps from the events topic")
    parser.add_argument(
        "--absence-is-declared", action="store_true", help="assume no gap where the connector was away"
    )
    parser.add_argument("--keep", type=Path, help="a directory for logs and what was lost")
    return Options(**vars(parser.parse_args(argv)))


def _kinds(text: str) -> tuple[str, ...]:
    try:
        return chosen(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
