"""
What the documentation names exists: ``python -m tests.docs``, part of ``make lint``.

Commands and options are asked of the command line, make targets of the Makefile, keys of the configuration
of its JSON Schema, YAML blocks of the configuration's own reader, metrics, states and log lines of the code.
"""

from tests.docs.checks import CHECKS, Finding, check_page, documentation
from tests.docs.markdown import Page

__all__ = ["CHECKS", "Finding", "Page", "check_page", "documentation"]
