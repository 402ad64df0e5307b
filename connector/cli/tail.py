"""``connector tail``."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio
import structlog

from connector.cli.exit_codes import CLEAN, CONFIGURATION, FAILED
from connector.cli.loop import loop_factory
from connector.cli.problems import show
from connector.cli.process import hold_signals, leave_hung_threads
from connector.config import Config, read_config
from connector.errors import ConfigError, FatalError, Problem
from connector.records.plan import SubscriptionPlan
from connector.tailing import run_tail
from connector.telemetry import Redactor, configure_logs, install_loop_handler

log = structlog.get_logger(__name__)

STDOUT = 1


def tail(path: Path, *, names: Sequence[str], seconds: float | None, limit: int | None) -> int:
    """Print rows of the subscriptions ``names`` (none: all) until stopped; return the exit code."""
    try:
        config = read_config(path, env=os.environ, brokers=False)
        plans = _chosen(config, names)
    except ConfigError as error:
        show(error.problems)
        return CONFIGURATION
    redactor = Redactor()
    for secret in config.secrets():
        redactor.add(secret)
    configure_logs(config.log.level, config.log.format, redactor)
    for warning in config.warnings:
        log.warning("configuration", warning=warning)
    for plan in plans:
        for warning in plan.warnings:
            log.warning("document", subscription=plan.name, warning=warning)
    sys.stdout.flush()
    hold_signals()  # the tail takes them
    code = _follow(config, plans, redactor, seconds, limit)
    leave_hung_threads(code)
    return code


def _follow(
    config: Config,
    plans: Sequence[SubscriptionPlan],
    redactor: Redactor,
    seconds: float | None,
    limit: int | None,
) -> int:
    async def main() -> None:
        install_loop_handler(asyncio.get_running_loop())
        await run_tail(config, plans, redactor, descriptor=STDOUT, seconds=seconds, limit=limit)

    failed: BaseException | None = None
    try:
        anyio.run(main, backend_options={"loop_factory": loop_factory()})
    except* Exception as group:
        failed = group
    while isinstance(failed, BaseExceptionGroup):
        failed = failed.exceptions[0]
    if failed is None:
        return CLEAN
    if isinstance(failed, FatalError):
        log.error("tail ended", error=str(failed))
    else:
        log.error("unexpected failure", error=str(failed), exc_info=failed)
    return FAILED


def _chosen(config: Config, names: Sequence[str]) -> list[SubscriptionPlan]:
    known = {plan.name: plan for plan in config.plans}
    problems = [
        Problem(
            where="--subscription",
            path=None,
            message=f"there is no subscription called {name!r}",
            remedy=f"name one of: {', '.join(known)}",
        )
        for name in dict.fromkeys(names)
        if name not in known
    ]
    if problems:
        raise ConfigError(problems)
    return [known[name] for name in dict.fromkeys(names)] if names else list(config.plans)
