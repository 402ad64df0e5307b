"""``connector validate``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from connector.cli.exit_codes import CLEAN, CONFIGURATION
from connector.cli.outline import COLUMNS, IDENTITY_COLUMNS, as_json, identity_row, notes, row
from connector.config import Outline, check_without_secrets, read_config
from connector.errors import ConfigError

PIPED_WIDTH = 200


def validate(path: Path, *, resolve: bool, json: bool = False) -> int:
    """Check the configuration at ``path`` and return the exit code."""
    try:
        outline = _outline(path) if resolve else check_without_secrets(path, env=os.environ)
    except ConfigError as error:
        from connector.cli.problems import problems_as_json, show

        show(error.problems)
        if json:
            sys.stdout.write(f"{problems_as_json(error.problems, CONFIGURATION)}\n")
        return CONFIGURATION
    _show(outline, path, json=json)
    return CLEAN


def _outline(path: Path) -> Outline:
    loaded = read_config(path, env=os.environ)
    return Outline(name=loaded.config.name, plans=loaded.plans, warnings=loaded.warnings)


def _show(outline: Outline, path: Path, *, json: bool) -> None:
    from connector.cli.problems import warn
    from connector.telemetry import printable

    warn(outline.warnings, outline.plans)
    if json:
        sys.stdout.write(f"{as_json(outline, CLEAN)}\n")
        return
    _print_table(f"{path}: {outline.name}", COLUMNS, map(row, outline.plans))
    _print_table("what rows are known by", IDENTITY_COLUMNS, map(identity_row, outline.plans))
    for plan in outline.plans:
        for text in notes(plan):
            sys.stdout.write(f"{printable(f'note: {plan.name}: {text}')}\n")
    sys.stdout.write("the configuration is valid\n")


def _print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from connector.telemetry import printable

    # Whoever reads a pipe has no columns to fold at.
    out = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
    table = Table(title=Text(printable(title)), title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for cells in rows:
        table.add_row(*(Text(printable(cell)) for cell in cells))
    out.print(table)
