"""``connector validate``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from connector.cli.exit_codes import CLEAN, CONFIGURATION
from connector.config import Outline, check_without_secrets, read_config
from connector.errors import ConfigError

PIPED_WIDTH = 200


def validate(path: Path, *, resolve: bool) -> int:
    """Check the configuration at ``path`` and return the exit code."""
    try:
        outline = _outline(path) if resolve else check_without_secrets(path, env=os.environ)
    except ConfigError as error:
        from connector.cli.problems import show

        show(error.problems)
        return CONFIGURATION
    _show(outline, path)
    return CLEAN


def _outline(path: Path) -> Outline:
    loaded = read_config(path, env=os.environ)
    return Outline(name=loaded.config.name, plans=loaded.plans, warnings=loaded.warnings)


def _show(outline: Outline, path: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from connector.cli.problems import warn
    from connector.telemetry import printable

    def text(said: str) -> Text:
        return Text(printable(said))

    # Whoever reads a pipe has no columns to fold at.
    out = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
    table = Table(title=text(f"{path}: {outline.name}"), title_justify="left")
    for column in ("subscription", "rows", "topic", "key", "timestamp", "streams"):
        table.add_column(column, overflow="fold")
    for plan in outline.plans:
        table.add_row(
            text(plan.name),
            text(".".join(plan.rows)),
            text(plan.topic),
            text(", ".join(".".join(part) for part in plan.key) or "none"),
            text(".".join(plan.timestamp) if plan.timestamp else "received"),
            str(plan.cubes),
        )
    out.print(table)
    warn(outline.warnings, outline.plans)
    out.print("the configuration is valid")
