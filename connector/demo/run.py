"""The demo from start to finish."""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
from pathlib import Path

import anyio
from rich.console import Console

from connector.demo.errors import DemoError, Interrupted
from connector.demo.oauth import TOKEN_LIFE
from connector.demo.stage import TROUBLE_EVERY, Stage
from connector.demo.table import Display, Result, display_on, summary_of, verdict_of

PROVOKED = (
    "connector demo: all of it runs on this machine, and its faults are provoked on purpose: tokens live "
    f"{TOKEN_LIFE:g} s, stale ones are refused, and a socket is dropped every {TROUBLE_EVERY:g} s or so."
)
EXIT_INTERRUPTED = 128 + signal.SIGINT


async def _run(seconds: float, directory: Path, display: Display) -> Result:
    return await Stage(seconds=seconds, directory=directory, display=display).perform()


def main(seconds: float, as_json: bool) -> int:
    """Carry out the demo and return its exit code; see `connector.demo.run_demo`."""
    directory = Path(tempfile.mkdtemp(prefix="connector-demo-"))
    log = directory / "connector.log"
    errors = Console(stderr=True)
    errors.print(PROVOKED, highlight=False, soft_wrap=True)
    try:
        with display_on(errors) as display:
            result = anyio.run(_run, seconds, directory, display)
    except Interrupted:
        shutil.rmtree(directory, ignore_errors=True)
        return EXIT_INTERRUPTED
    except DemoError as failure:
        errors.print(f"connector demo failed: {failure}", highlight=False, soft_wrap=True)
        _name_log(errors, log)
        return 1
    out = errors if as_json else Console()
    out.print(summary_of(result))
    out.print(
        verdict_of(result), highlight=False, soft_wrap=True, style="red" if result.complaints else "green"
    )
    if result.complaints:
        _name_log(errors, log)
    else:
        shutil.rmtree(directory, ignore_errors=True)
    if as_json:
        print(json.dumps(result.as_json()), flush=True)  # noqa: T201 - data goes to stdout
    return 1 if result.complaints else 0


def _name_log(console: Console, log: Path) -> None:
    if log.exists():
        console.print(f"The connector's log: {log}", highlight=False, soft_wrap=True)
