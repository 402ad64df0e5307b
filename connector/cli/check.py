"""``connector check``."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import anyio
import structlog

from connector.cli.exit_codes import CLEAN, CONFIGURATION, REFUSED, UNREACHABLE
from connector.cli.findings import as_json, as_table, put
from connector.cli.loop import loop_factory
from connector.cli.problems import problems_as_json, show, warn
from connector.cli.process import leave_hung_threads
from connector.config import LoadedConfig, read_config
from connector.errors import ConfigError
from connector.probe import Report
from connector.telemetry import Redactor, configure_logs, install_loop_handler, printable
from connector.wiring.check import check_up

log = structlog.get_logger(__name__)


def check(path: Path, *, json: bool) -> int:
    """Ask everybody whom the configuration at ``path`` names; return the exit code."""
    try:
        loaded = read_config(path, env=os.environ)
    except ConfigError as error:
        show(error.problems)
        if json:
            put(problems_as_json(error.problems, CONFIGURATION))
        return CONFIGURATION
    redactor = Redactor()
    for secret in loaded.secrets:
        redactor.add(secret)
    config = loaded.config
    # What goes wrong is in the table; libraries would tell it a second time.
    level = "debug" if config.log.level == "debug" else "critical"
    configure_logs(level, config.log.format, redactor)
    warn(loaded.warnings, loaded.plans, redactor.redact)
    code: int = anyio.run(
        _main, loaded, path, redactor, json, backend_options={"loop_factory": loop_factory()}
    )
    leave_hung_threads(code)
    return code


async def _main(loaded: LoadedConfig, path: Path, redactor: Redactor, json: bool) -> int:
    """Show the result before the loop ends, which waits for threads, be it for a dead DNS server."""
    install_loop_handler(asyncio.get_running_loop())
    report = await _ask(loaded, redactor)
    code = exit_code(report)
    if json:
        put(as_json(report, loaded.config.name, code, redactor.redact))
    else:
        as_table(report, f"{path}: {loaded.config.name}", redactor.redact)
    return code


def exit_code(report: Report) -> int:
    """Refused outranks unreachable: waiting does not help."""
    if report.is_refused:
        return REFUSED
    return UNREACHABLE if report.is_failed else CLEAN


async def _ask(loaded: LoadedConfig, redactor: Redactor) -> Report:
    if not sys.stderr.isatty():
        return await check_up(loaded, redactor, lambda part, doing: None)
    from rich.console import Console
    from rich.markup import escape

    doings: dict[str, str] = {}
    with Console(stderr=True).status("starts …") as status:

        def tell(part: str, doing: str | None) -> None:
            if doing is None:
                doings.pop(part, None)
            else:
                doings[part] = doing
            said = " · ".join(f"{part} {doing}" for part, doing in doings.items())
            status.update(escape(printable(redactor.redact(said)) or "is done"))

        return await check_up(loaded, redactor, tell)
