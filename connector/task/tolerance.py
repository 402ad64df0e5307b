"""How many records may be bad, and what a subscription ends for where they are too many."""

from __future__ import annotations

from dataclasses import dataclass

from connector.errors import DataError


@dataclass(frozen=True, kw_only=True, slots=True)
class Tolerance:
    """
    Without ``bad`` the first bad record fails its subscription; with it, ``failures`` of any ``rows``
    rows in a row do.
    """

    bad: bool = False
    failures: int = 50
    rows: int = 100


class TooManyBad(DataError):
    """All bad is not some bad: the rows are not to blame."""

    def __init__(self, failures: int, rows: int, last: DataError) -> None:
        super().__init__(
            f"{failures} of the last {rows} rows cannot be published, more than errors.window tolerates; "
            f"the last one: {last}"
        )


class DeadLetterRefused(DataError):
    """The dead-letter topic does not take what it is for."""

    def __init__(self, error: DataError) -> None:
        super().__init__(f"the dead-letter topic refuses a dead letter for its content: {error}")


def failure_event(error: DataError) -> tuple[str, str]:
    """Return the event of the log for a subscription that ends for ``error``, and what helps."""
    match error:
        case TooManyBad():
            return (
                "subscription failed: too many records cannot be published",
                "correct the topic or raise errors.window and restart, or change the subscription",
            )
        case DeadLetterRefused():
            return (
                "subscription failed: a dead letter cannot be published",
                "correct the settings of the dead-letter topic, then restart",
            )
        case _:
            return (
                "subscription failed: a record cannot be published",
                "raise the topic's limits and restart, or change the subscription or its document",
            )
