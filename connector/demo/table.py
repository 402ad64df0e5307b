"""What the demo shows while it runs and when it is done."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table

from connector.demo.account import Account
from connector.demo.watch import Glance

LINE_EVERY = 3.0
"""Seconds between two lines where there is no terminal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """
    The demo at one moment. Times are seconds, the rest counts; ``glance`` is ``None`` while the
    connector's API does not answer.
    """

    elapsed: float
    seconds: float
    numbered: int
    consumed: int
    rows_per_second: float
    tokens: int
    sessions: Mapping[str, int]
    refused: int
    dropped: Mapping[str, int]
    glance: Glance | None
    phase: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """How the demo ended; ``complaints`` is empty if all went as promised."""

    account: Account
    tokens: int
    sessions: Mapping[str, int]
    refused: int
    dropped: Mapping[str, int]
    reconnects: Mapping[str, int]
    seconds: float
    complaints: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, int]:
        """Return the integers that ``--json`` prints."""
        return {
            "sent": self.account.sent,
            "consumed": self.account.consumed,
            "missing": self.account.missing,
            "while_away": self.account.while_away,
            "duplicates": self.account.duplicates,
            "tokens": self.tokens,
            "sessions": sum(self.sessions.values()),
        }


class Display(Protocol):
    """Shows views until left."""

    def show(self, view: View) -> None:
        """Show the newest view."""

    def __enter__(self) -> Display:
        """Begin to show."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the screen as it was found."""


class LiveTable:
    """A table that redraws itself, for a terminal."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=4, transient=True)

    def show(self, view: View) -> None:
        """Redraw the table."""
        self._live.update(table_of(view))

    def __enter__(self) -> LiveTable:
        """Take the screen."""
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clear the table."""
        self._live.__exit__(kind, error, trace)


class Lines:
    """A line now and then, for a file or a pipe."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next_at = 0.0

    def show(self, view: View) -> None:
        """Print a line, if the last one is old enough."""
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + LINE_EVERY
            self._console.print(line_of(view), highlight=False, soft_wrap=True)

    def __enter__(self) -> Lines:
        """Nothing to begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to end."""


def display_on(console: Console) -> Display:
    """Return the display that suits ``console``."""
    return LiveTable(console) if console.is_terminal else Lines(console)


def counts(numbers: Mapping[str, int]) -> str:
    """Return ``3 (1 FIN, 2 close frame)``."""
    parts = ", ".join(f"{count} {name}" for name, count in sorted(numbers.items()) if count)
    return f"{sum(numbers.values())} ({parts})" if parts else "0"


def _states(glance: Glance | None) -> str:
    if glance is None or not glance.states:
        return "-"
    return ", ".join(f"{name} {state}" for name, state in sorted(glance.states.items()))


def _token(glance: Glance | None) -> str:
    if glance is None:
        return "-"
    left = glance.token_seconds_left
    return glance.token_state if left is None else f"{glance.token_state}, {max(left, 0):.1f} s left"


def line_of(view: View) -> str:
    """Return the view as one line."""
    reconnects = counts(view.glance.reconnects) if view.glance else "-"
    return (
        f"{view.phase} {view.elapsed:.0f}/{view.seconds:.0f} s: {view.rows_per_second:.0f} rows/s,"
        f" {view.consumed} rows in Kafka; token {_token(view.glance)}; {_states(view.glance)};"
        f" tokens {view.tokens}, sessions {sum(view.sessions.values())}, reconnects {reconnects} (provoked)"
    )


def _two_columns(title: str, rows: Mapping[str, str]) -> Table:
    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(min_width=44)
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def table_of(view: View) -> Table:
    """Return the view as a table."""
    return _two_columns(
        f"connector demo: {view.phase}, {view.elapsed:.0f} of {view.seconds:.0f} s",
        {
            "rows/s into Kafka": f"{view.rows_per_second:.0f}",
            "rows in Kafka": f"{view.consumed} of {view.numbered} numbered",
            "token": _token(view.glance),
            "subscriptions": _states(view.glance),
            "tokens handed out": str(view.tokens),
            "sessions": counts(view.sessions),
            "stale tokens refused": f"{view.refused}, provoked",
            "sockets dropped": f"{counts(view.dropped)}, provoked",
            "reconnects": counts(view.glance.reconnects) if view.glance else "-",
        },
    )


def summary_of(result: Result) -> Table:
    """Return the result as a table."""
    account = result.account
    return _two_columns(
        f"connector demo: {result.seconds:.0f} s of streaming",
        {
            "sent": f"{account.sent} rows numbered by the upstream",
            "consumed": f"{account.consumed} records read from Kafka",
            "duplicates": f"{account.duplicates} of them read before",
            "missing": f"{account.missing} written to a socket, not in Kafka",
            "while_away": f"{account.while_away} never written: no socket was open",
            "tokens": str(result.tokens),
            "sessions": counts(result.sessions),
            "stale tokens refused": f"{result.refused}, provoked",
            "sockets dropped": f"{counts(result.dropped)}, provoked",
            "reconnects": counts(result.reconnects),
        },
    )


def verdict_of(result: Result) -> str:
    """Return in a sentence what the demo showed."""
    if result.complaints:
        return f"verdict: FAILED: {'; '.join(result.complaints)}"
    account = result.account
    written = account.sent - account.while_away
    said = f"verdict: PASSED: all {written} rows that were written to a socket are in Kafka"
    twice = f", {account.duplicates} of them twice" if account.duplicates else ", each once"
    dropped, refused = sum(result.dropped.values()), result.refused
    sockets, tokens = _counted(dropped, "socket"), _counted(refused, "token")
    faults = f"in spite of {sockets} dropped and {tokens} refused on purpose"
    away = f"; {account.while_away} more came while none was open" if account.while_away else ""
    return f"{said}{twice}, {faults}{away}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
