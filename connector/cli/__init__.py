"""The command line; the only place that turns errors into exit codes."""

from connector.cli.main import main

__all__ = ["main"]
