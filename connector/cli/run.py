"""``connector run``."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import anyio
import structlog

from connector import __version__
from connector.cli.allocator import keep_buffers
from connector.cli.exit_codes import CLEAN, CONFIGURATION, FAILED
from connector.cli.loop import loop_factory
from connector.cli.process import end_on_signals, hold_signals, leave_hung_threads
from connector.config import Files, LoadedConfig, Peers, Watch, read_config
from connector.errors import ConfigError, ConnectorError, FatalError
from connector.herder import warn_of
from connector.telemetry import (
    BackgroundStream,
    Redactor,
    configure_logs,
    install_loop_handler,
    log_in_background,
    people_read,
)
from connector.wiring.run import run_worker
from connector.worker import Undelivered

log = structlog.get_logger(__name__)


def run(path: Path, *, wait_at: str | None = None) -> int:
    """
    Run the connector configured at ``path`` until it is stopped; return the exit code.

    ``wait_at`` is ``host:port`` to listen at until the configuration can be used; ``None``: end where it
    cannot.
    """
    loaded, refusal, files = None, None, Files()
    try:
        loaded = read_config(path, env=os.environ, files=files)
    except ConfigError as error:
        refusal = error
    watch = Watch(path, env=os.environ, running=loaded or files.seen)
    if refusal is not None and (wait_at is None or not watch.is_possible):
        from connector.cli.problems import show

        show(refusal.problems)
        return CONFIGURATION
    logged = log_in_background()
    code = CONFIGURATION
    while loaded is not None or refusal is not None:
        if loaded is not None:
            code, refusal = _run(path, loaded, logged)
            watch = Watch(path, env=os.environ, running=loaded)
        loaded = None
        if refusal is not None and wait_at is not None and watch.is_possible:
            code, loaded = _wait(refusal, watch, wait_at)
        refusal = None
    logged.drain()
    leave_hung_threads(code)
    return code


def _run(path: Path, loaded: LoadedConfig, logged: BackgroundStream) -> tuple[int, ConfigError | None]:
    """Return the exit code, and why the configuration cannot be used where it cannot."""
    redactor = Redactor()
    for secret in loaded.secrets:
        redactor.add(secret)
    configure_logs(loaded.config.log.level, loaded.config.log.format, redactor)
    _greet(loaded)
    _tell_of_proxies(loaded.peers)
    for warning in loaded.warnings:
        log.warning("configuration", warning=warning)
    for plan in loaded.plans:
        warn_of(plan)
    return _supervise(loaded, redactor, Watch(path, env=os.environ, running=loaded), logged)


def _wait(error: ConfigError, watch: Watch, place: str) -> tuple[int, LoadedConfig | None]:
    """Return what can be used in the end, or the exit code and ``None``."""
    from connector.wiring.waiting import Listen, wait_for_config

    configure_logs("info", "auto", Redactor())
    found: LoadedConfig | None = None
    code = CLEAN

    async def main() -> None:
        nonlocal found
        install_loop_handler(asyncio.get_running_loop())
        found = await wait_for_config(error, watch, Listen.at(place))

    try:
        anyio.run(main, backend_options={"loop_factory": loop_factory()})
    except* FatalError as group:
        log.error("cannot run", error=str(_first(group)))  # noqa: TRY400 - a user's mistake has no traceback
        code = FAILED
    end_on_signals()
    return code, found


def _greet(loaded: LoadedConfig) -> None:
    """The effective configuration for machines; for people what it is about, on one line."""
    config, effective = loaded.config, loaded.effective()
    if not people_read():
        log.info("connector starts", version=__version__, config=effective)
        return
    endpoint = effective["endpoint"]
    assert isinstance(endpoint, dict)
    log.info(
        "connector starts",
        version=__version__,
        name=config.name,
        subscriptions=len(config.subscriptions),
        endpoint=endpoint["url"],
        kafka=config.kafka.bootstrap_servers,
    )
    log.debug("effective configuration", config=effective)


def _tell_of_proxies(peers: Peers) -> None:
    for name, peer in peers.named():
        if peer.route.proxy is not None:
            named_by = peer.route.named_by or "the configuration"
            log.info("proxy in use", peer=name, proxy=str(peer.route.proxy), named_by=named_by)


def _supervise(
    loaded: LoadedConfig, redactor: Redactor, watch: Watch, logged: BackgroundStream
) -> tuple[int, ConfigError | None]:
    ended: tuple[str, int, BaseException] | None = None
    hold_signals()  # the worker takes them
    keep_buffers()
    try:
        anyio.run(_main, loaded, redactor, watch, logged, backend_options={"loop_factory": loop_factory()})
    except* Undelivered as group:
        ended = "stopped before everything was delivered", FAILED, group
    except* ConfigError as group:
        ended = "the configuration cannot be used", CONFIGURATION, group
    except* FatalError as group:
        ended = "cannot run", FAILED, group
    except* Exception as group:
        ended = "unexpected failure", FAILED, group
    if ended is None:
        return CLEAN, None
    said, code, cause = ended
    first = _first(cause)
    is_fault = not isinstance(first, ConnectorError | Undelivered)
    # A fault of ours: the redacted traceback is what a bug report needs.
    log.error(said, error=str(first), exc_info=cause if is_fault else None)
    return code, first if isinstance(first, ConfigError) else None


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _main(loaded: LoadedConfig, redactor: Redactor, watch: Watch, logged: BackgroundStream) -> None:
    install_loop_handler(asyncio.get_running_loop())
    await run_worker(loaded, redactor, watch, logged)
