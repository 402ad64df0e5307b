"""``connector offsets list``, ``reset`` and ``delete``."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import anyio

from connector.cli.exit_codes import CLEAN, CONFIGURATION, FAILED, REFUSED, UNREACHABLE
from connector.cli.findings import put
from connector.cli.loop import loop_factory
from connector.cli.offset_tables import as_json, as_table, text_of
from connector.cli.problems import show
from connector.cli.process import leave_hung_threads
from connector.config import LoadedConfig, read_config
from connector.errors import ConfigError, ConnectorError, Problem
from connector.kafka import NotAllowed, TopicMissing
from connector.telemetry import Redactor, configure_logs, install_loop_handler, printable
from connector.wiring.offset_commands import OffsetsDesk, StillWritten, open_desk

Do = Callable[[OffsetsDesk], Awaitable[int]]


def show_offsets(path: Path, *, json: bool) -> int:
    """Print the offsets of the connector configured at ``path``; return the exit code."""

    async def do(desk: OffsetsDesk) -> int:
        _print(desk, path, json=json)
        return CLEAN

    return _run(path, do)


def reset_offsets(path: Path, *, to: str, names: Sequence[str], every: bool, yes: bool, json: bool) -> int:
    """Let subscriptions be covered up to ``to``; return the exit code."""

    async def do(desk: OffsetsDesk) -> int:
        until_ms = _moment(to)
        chosen = _chosen(desk, names, every=every)
        _ask(f"set {len(chosen)} offsets to {text_of(until_ms)}", chosen, yes=yes)
        await desk.reset(chosen, until_ms)
        _print(desk, path, json=json)
        return CLEAN

    return _run(path, do)


def delete_offsets(path: Path, *, names: Sequence[str], every: bool, yes: bool, json: bool) -> int:
    """Forget offsets; return the exit code."""

    async def do(desk: OffsetsDesk) -> int:
        chosen = _chosen(desk, names, every=every)
        _ask(f"forget {len(chosen)} offsets", chosen, yes=yes)
        await desk.delete(chosen)
        _print(desk, path, json=json)
        return CLEAN

    return _run(path, do)


def _print(desk: OffsetsDesk, path: Path, *, json: bool) -> None:
    if json or not sys.stdout.isatty():
        put(as_json(desk))
    else:
        as_table(desk, f"{path}: {desk.topic}")


def _moment(text: str) -> int:
    now = datetime.now(UTC)
    if text == "now":
        return int(now.timestamp() * 1000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _wrong(
            "--to", f"{text!r} is no time", "write now, or a time such as 2026-12-01T10:00:00Z"
        ) from None
    if moment.tzinfo is None:
        raise _wrong("--to", f"{text!r} has no time zone", f"write {text}Z for UTC, or {text}+02:00")
    if moment > now:
        raise _wrong("--to", f"{text!r} is still to come", "write now, or a time that has passed")
    if moment.timestamp() < 0:
        raise _wrong("--to", f"{text!r} is before 1970", "write a later one")
    return int(moment.timestamp() * 1000)


def _chosen(desk: OffsetsDesk, names: Sequence[str], *, every: bool) -> list[str]:
    if every == bool(names):
        what = "says nothing of which offsets are meant" if not every else "stands beside --subscription"
        raise _wrong("--all", what, "give either --subscription NAME or --all")
    unknown = [name for name in names if name not in desk.names]
    if unknown:
        known = ", ".join(desk.names) or "none"
        raise _wrong(
            "--subscription", f"there is no subscription called {unknown[0]!r}", f"name one of: {known}"
        )
    return list(desk.names) if every else list(dict.fromkeys(names))


def _ask(what: str, names: Sequence[str], *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise _wrong("--yes", "is missing, and nobody can be asked: stdin is no terminal", "add --yes")
    sys.stderr.write(printable(f"{what} ({', '.join(names)})? [y/N] "))
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Declined


class Declined(ConnectorError):
    """Whoever was asked did not say yes."""

    def __init__(self) -> None:
        super().__init__("nothing was changed")


def _wrong(where: str, message: str, remedy: str) -> ConfigError:
    return ConfigError([Problem(where=where, path=None, message=message, remedy=remedy)])


def _run(path: Path, do: Do) -> int:
    redactor = Redactor()
    try:
        loaded = read_config(path, env=os.environ)
        if not loaded.config.offsets:
            raise _wrong(str(path), "offsets is false: none are kept", "set offsets to true")
        for secret in loaded.secrets:
            redactor.add(secret)
        level = "debug" if loaded.config.log.level == "debug" else "critical"
        configure_logs(level, loaded.config.log.format, redactor)
        code: int = anyio.run(_main, loaded, redactor, do, backend_options={"loop_factory": loop_factory()})
    except ConfigError as error:
        show(error.problems)
        return CONFIGURATION
    leave_hung_threads(code)
    return code


async def _main(loaded: LoadedConfig, redactor: Redactor, do: Do) -> int:
    install_loop_handler(asyncio.get_running_loop())
    failed: BaseException | None = None
    code = FAILED
    try:
        async with open_desk(loaded, redactor) as desk:
            code = await do(desk)
    except* ConnectorError as group:
        failed = group
    while isinstance(failed, BaseExceptionGroup):
        failed = failed.exceptions[0]
    if failed is None:
        return code
    if isinstance(failed, ConfigError):
        show(failed.problems)
        return CONFIGURATION
    said = f"{failed}"
    if isinstance(failed, TopicMissing):
        said = f"topic {failed.topic} does not exist: no offsets are kept yet"
    sys.stderr.write(printable(redactor.redact(f"connector: {said}")) + "\n")
    if isinstance(failed, StillWritten | Declined):
        return FAILED
    return REFUSED if isinstance(failed, NotAllowed) else UNREACHABLE
