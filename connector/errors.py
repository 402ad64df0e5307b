"""
Every error of the connector, by what is done about it::

    ConnectorError
    ├── ConfigError       stop before anything runs: the user must change a file (exit code 2)
    ├── RetriableError    try again, not sooner than ``retry_after``
    ├── DataError         this record cannot be published; treat it by ``errors.tolerance``
    └── FatalError        stop what raised it: trying again cannot help

Rooms derive leaves that say what happened. Messages never hold a token, a secret or a payload.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ConnectorError(Exception):
    """Base of every error that this program raises on purpose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """
    One mistake in a configuration, as shown to the user.

    ``where`` names the file and, where known, its line (``dex.yaml:12``); ``path`` is the key path
    (``subscriptions[0].rows``) or ``None``; ``message`` says what is wrong; ``remedy`` what to do.
    """

    where: str
    path: str | None
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.where}: {self.path}" if self.path else self.where
        return f"{place}: {self.message} → {self.remedy}"


class ConfigError(ConnectorError):
    """The configuration cannot be used; ``problems`` holds every mistake found, never none."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class RetriableError(ConnectorError):
    """
    A later attempt may succeed.

    ``retry_after`` is the least number of seconds to wait, as the other side asked; ``None`` when it
    did not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DataError(ConnectorError):
    """A record cannot be published as it is; its siblings can."""


class FatalError(ConnectorError):
    """Trying again cannot help; whoever owns the part stops it and says so."""
