"""What can go wrong in the demo itself."""

from __future__ import annotations

from connector.errors import ConnectorError


class DemoError(ConnectorError):
    """The demo could not be carried out; the message says what to look at."""


class AccountingError(DemoError):
    """The demo's own books contradict each other, so none of its numbers can be trusted."""


class Interrupted(Exception):
    """The user stopped the demo before there was a result."""
