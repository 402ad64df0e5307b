"""``connector offsets …``: what is asked for, and where the questions are."""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from connector.cli.options import ConfigOption

offsets = typer.Typer(
    help="Show and change up to when subscriptions are covered (topic <name>.offsets). Stop the connector "
    "before you change anything: a running one writes over it.",
    no_args_is_help=True,
)

SubscriptionOption = Annotated[
    list[str] | None,
    typer.Option("--subscription", metavar="NAME", help="This one; may be given several times."),
]
AllOption = Annotated[bool, typer.Option("--all", help="All of them.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@offsets.command("list")
def list_offsets(config: ConfigOption, json: JsonOption = False) -> NoReturn:
    """Show up to when each subscription is covered, and what before that is not."""
    from connector.cli.offsets import show_offsets
    from connector.cli.process import leave_signals

    leave_signals()
    sys.exit(show_offsets(config, json=json))


@offsets.command()
def reset(
    config: ConfigOption,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="TIME",
            help="now, or a time such as 2026-12-01T10:00:00Z: all before it counts as covered.",
        ),
    ],
    subscription: SubscriptionOption = None,
    every: AllOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
) -> NoReturn:
    """Set up to when subscriptions are covered: the next start declares a gap from then on, none before."""
    from connector.cli.offsets import reset_offsets
    from connector.cli.process import leave_signals

    leave_signals()
    sys.exit(reset_offsets(config, to=to, names=subscription or (), every=every, yes=yes, json=json))


@offsets.command()
def delete(
    config: ConfigOption,
    subscription: SubscriptionOption = None,
    every: AllOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
) -> NoReturn:
    """Forget offsets: the next start begins as the first one did, without a gap."""
    from connector.cli.offsets import delete_offsets
    from connector.cli.process import leave_signals

    leave_signals()
    sys.exit(delete_offsets(config, names=subscription or (), every=every, yes=yes, json=json))
