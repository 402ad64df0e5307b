"""A changed configuration → what runs, or an alarm that says why not."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn, Protocol

import anyio
import anyio.to_thread
import structlog

from connector.config import Change, LoadedConfig, Part, compare, shown_values
from connector.errors import ConfigError

log = structlog.get_logger(__name__)

POLL = 1.0
"""Seconds between two looks at the files; what they say is taken when two looks found the same."""

Outcome = Literal["applied", "refused", "invalid"]
"""``refused``: it is right, and only a restart can apply it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigStatus:
    """
    ``current``: what the files say runs; ``rejected``: it does not, and ``last_error`` says why;
    ``unwatched``: nobody looks. ``loaded_at`` is when what runs was read, in seconds since 1970.
    """

    state: Literal["current", "rejected", "unwatched"]
    last_error: str | None
    loaded_at: float


class Source(Protocol):
    """Where configurations come from; `connector.config.Watch` says what its methods do."""

    @property
    def is_possible(self) -> bool:
        """Whether the configuration can be read again."""

    def look(self) -> LoadedConfig | ConfigError | None:
        """Return what is new, or why it cannot be used."""


class Herder(Protocol):
    """Runs a configuration, and takes another one."""

    def apply(self, loaded: LoadedConfig, change: Change) -> None:
        """Run ``loaded``, of which ``change`` is new and can be applied; never waits."""


class Observer(Protocol):
    """What is told of a reload; nothing here may raise or block."""

    def reloaded(self, outcome: Outcome) -> None:
        """The files said something else."""

    def rejected(self, alarm: bool) -> None:
        """What the files say does not run, or does again."""


class Reload:
    """
    Applies what changed in the files of ``loaded``, which runs. All of a change is applied, or nothing.

    ``learn`` keeps the secrets of a configuration out of everything that is emitted; ``sleep`` waits for
    seconds.
    """

    def __init__(
        self,
        loaded: LoadedConfig,
        source: Source,
        herder: Herder,
        observer: Observer,
        *,
        learn: Callable[[LoadedConfig], None],
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._loaded = loaded
        self._source = source
        self._herder = herder
        self._observer = observer
        self._learn = learn
        self._sleep = sleep
        self._error: str | None = None
        self._loaded_at = time.time()

    @property
    def is_wanted(self) -> bool:
        """Whether the files are to be watched, and can be."""
        return self._loaded.config.reload and self._source.is_possible

    @property
    def status(self) -> ConfigStatus:
        """How it stands."""
        state: Literal["current", "rejected"] = "current" if self._error is None else "rejected"
        return ConfigStatus(
            state=state if self.is_wanted else "unwatched",
            last_error=self._error,
            loaded_at=self._loaded_at,
        )

    async def run(self) -> NoReturn:
        """Watch until cancelled. One change is applied before the next look."""
        while True:
            await self._sleep(POLL)
            try:
                # In a thread that may be left behind: a file on a dead network mount blocks for ever.
                found = await anyio.to_thread.run_sync(self._source.look, abandon_on_cancel=True)
            except Exception as fault:
                # Ours; what runs must not end for it.
                log.exception("configuration not reloaded: a fault of the connector")
                self._reject("invalid", f"a fault of the connector: {type(fault).__name__}")
                continue
            if found is not None:
                self._take(found)

    def _take(self, found: LoadedConfig | ConfigError) -> None:
        if isinstance(found, ConfigError):
            problems = [str(problem) for problem in found.problems]
            log.error("configuration not reloaded: it is invalid", problems=problems)
            self._reject("invalid", "; ".join(problems))
            return
        self._learn(found)  # before anything can tell of it
        change = compare(self._loaded, found)
        if change.refused:
            self._refuse(change)
        elif change:
            self._apply(found, change)
        else:
            self._loaded = found
            if self._error is not None:
                log.info("configuration is again what runs")
            self._accept()

    def _refuse(self, change: Change) -> None:
        log.error(
            "configuration not reloaded: only a restart applies it",
            needs_restart=change.refused,
            not_applied_either=[key for key in change.keys if key not in change.refused],
            remedy="restart, or take the change of these keys back",
        )
        self._reject("refused", f"only a restart applies {_listed(change.refused)}")

    def _apply(self, loaded: LoadedConfig, change: Change) -> None:
        quieter = Part.LOG in change.parts and _level(loaded) > _level(self._loaded)
        if quieter:
            self._tell(loaded, change)  # it would not be heard later
        for warning in loaded.warnings:
            if warning not in self._loaded.warnings:
                log.warning("configuration", warning=warning)
        self._loaded = loaded
        self._loaded_at = time.time()
        self._herder.apply(loaded, change)
        if not quieter:
            self._tell(loaded, change)
        self._observer.reloaded("applied")
        self._accept()

    @staticmethod
    def _tell(loaded: LoadedConfig, change: Change) -> None:
        log.info("configuration reloaded", changed=shown_values(change, loaded))

    def _reject(self, outcome: Outcome, error: str) -> None:
        self._error = error
        self._observer.reloaded(outcome)
        self._observer.rejected(True)

    def _accept(self) -> None:
        self._error = None
        self._observer.rejected(False)


def _level(loaded: LoadedConfig) -> int:
    return logging.getLevelNamesMapping()[loaded.config.log.level.upper()]


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(keys)
