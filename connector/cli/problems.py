"""Configuration mistakes, as people read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from rich.console import Console
from rich.text import Text

from connector.errors import Problem
from connector.records.plan import SubscriptionPlan
from connector.telemetry import printable


def show(problems: Sequence[Problem]) -> None:
    """Print every mistake to stderr: where, what, and what to do."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for problem in problems:
        place = f"{problem.where}: {problem.path}" if problem.path else problem.where
        line = Text()
        line.append(printable(place), style="bold")
        line.append(f": {printable(problem.message)}\n")
        line.append(f"    → {printable(problem.remedy)}", style="green")
        console.print(line)
    count = len(problems)
    console.print(Text(f"{count} problem{'s' if count > 1 else ''} found; nothing was started", style="red"))


def warn(
    warnings: Iterable[str], plans: Iterable[SubscriptionPlan], redact: Callable[[str], str] = str
) -> None:
    """Print to stderr what is doubtful about a configuration and the documents of its ``plans``."""
    notes = Console(stderr=True, highlight=False, soft_wrap=True)
    of_documents = (f"{plan.name}: {text}" for plan in plans for text in plan.warnings)
    for warning in (*warnings, *of_documents):
        notes.print(printable(redact(f"warning: {warning}")), style="yellow", markup=False)


def problems_as_json(problems: Sequence[Problem], code: int) -> str:
    """Return one line of JSON for a configuration that cannot be used."""
    return json.dumps(
        {
            "outcome": "configuration",
            "exit_code": code,
            "problems": [
                {"where": one.where, "path": one.path, "message": one.message, "remedy": one.remedy}
                for one in problems
            ],
        }
    )
