"""The commands. Data goes to stdout, everything else to stderr."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

from connector import __version__
from connector.cli.exit_codes import FAILED
from connector.cli.offsets_commands import offsets
from connector.cli.options import ConfigOption

app = typer.Typer(
    name="connector",
    help="A Kafka source connector for GraphQL subscriptions.",
    no_args_is_help=True,
    add_completion=False,
    # Its tracebacks show local variables, and those hold secrets.
    pretty_exceptions_enable=False,
)
app.add_typer(offsets, name="offsets")

LONGEST_TAIL = 31_536_000.0
"""Seconds: a year."""


def _seconds(least: float, most: float) -> Callable[[str], float]:
    """A parser of seconds: ``2``, or with a unit ``2s``, ``500ms``, ``1h30m``."""

    def parse(text: str) -> float:
        # Both are dear to import, and most commands need neither.
        from connector.config.mistake import Mistake
        from connector.config.scalars import seconds as of_duration

        try:
            seconds = float(text)
        except ValueError:
            try:
                seconds = of_duration(text)
            except Mistake:
                seconds = math.nan
        if not least <= seconds <= most:  # not a number compares false
            raise typer.BadParameter(
                f"{text!r} is no time from {least:g}s to {most:g}s, such as 30, 30s or 5m"
            )
        return seconds

    return parse


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"connector {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Read GraphQL subscriptions, write Kafka topics."""


def _place(text: str) -> str:
    """``HOST:PORT``, where one may listen."""
    host, _, port = text.rpartition(":")
    if not host.strip("[]") or not (port.isascii() and port.isdecimal()) or not 0 <= int(port) <= 65535:
        raise typer.BadParameter(f"{text!r} is no place to listen at, such as 0.0.0.0:8083")
    return text


@app.command()
def run(
    config: ConfigOption,
    wait_for_config: Annotated[
        str | None,
        typer.Option(
            help="Where the configuration cannot be used at the start, do not end with code 2: listen there, "
            "answer /livez with 200 and /readyz with 503 and the reason, and start once it can be used.",
            parser=_place,
            metavar="HOST:PORT",
        ),
    ] = None,
) -> NoReturn:
    """Subscribe and publish until SIGTERM, SIGINT or SIGHUP."""
    from connector.cli.run import run as run_connector

    sys.exit(run_connector(config, wait_at=wait_for_config))


@app.command()
def validate(
    config: ConfigOption,
    no_env: Annotated[
        bool, typer.Option("--no-env", help="Leave ${env:…} and ${file:…} unresolved.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> NoReturn:
    """Check a configuration and its documents, offline."""
    from connector.cli.validate import validate as validate_config

    sys.exit(validate_config(config, resolve=not no_env, json=json))


@app.command()
def check(
    config: ConfigOption,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> NoReturn:
    """Ask token endpoint, GraphQL endpoint and brokers whether all would work; nothing is published."""
    from connector.cli.check import check as check_config
    from connector.cli.process import leave_signals

    leave_signals()
    sys.exit(check_config(config, json=json))


@app.command()
def tail(
    config: ConfigOption,
    subscription: Annotated[
        list[str] | None,
        typer.Option("--subscription", metavar="NAME", help="Only this one; may be given several times."),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            help="Stop after so long: 30, 30s, 5m.", parser=_seconds(0.1, LONGEST_TAIL), metavar="N"
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Stop after so many rows.", min=1, metavar="N")] = None,
) -> NoReturn:
    """Print rows as they come, one JSON object per line, without Kafka. The upstream bills it."""
    from connector.cli.tail import tail as tail_rows

    sys.exit(tail_rows(config, names=subscription or (), seconds=seconds, limit=limit))


@app.command()
def demo(
    seconds: Annotated[
        float,
        typer.Option(help="How long rows flow: 30, 30s, 5m.", parser=_seconds(1.0, 3600.0), metavar="N"),
    ] = 30.0,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
) -> NoReturn:
    """Run the whole product against a small upstream and broker on this machine."""
    from connector.cli.process import leave_signals
    from connector.demo import run_demo

    leave_signals()
    sys.exit(run_demo(seconds, json))


def main() -> None:
    """Run the command line; a wrong one ends with the code for configuration."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        _forget_stdout()
        sys.exit(FAILED)
    except OSError as error:
        # Only what a command prints can raise it here: all other files are read where mistakes are told.
        _forget_stdout()
        sys.stderr.write(f"connector: cannot write the output: {error.strerror}\n")
        sys.exit(FAILED)


def _forget_stdout() -> None:
    """Keep Python from trying once more, at the end, to write what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
