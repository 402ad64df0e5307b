"""The command line; the only place that turns errors into exit codes."""

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process."""
    from connector.cli.process import end_on_signals, open_standard_streams, raise_descriptor_limit

    open_standard_streams()
    end_on_signals()
    raise_descriptor_limit()
    # Imported only now: that takes a third of a second, in which a signal may come.
    from connector.cli.main import main as run_command

    run_command()
