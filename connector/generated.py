"""Text that is made from the code: written to stdout, or compared with the file that holds it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def write_or_check(arguments: Sequence[str], make: Callable[[], str]) -> int:
    """Write to stdout, or compare with the file after ``--check``. Returns the exit code."""
    if not arguments:
        sys.stdout.write(make())
        return 0
    if len(arguments) != 2 or arguments[0] != "--check":
        sys.stderr.write("usage: [--check FILE]\n")
        return 2
    file = Path(arguments[1])
    if file.is_file() and file.read_text(encoding="utf-8") == make():
        return 0
    sys.stderr.write(f"{file} is not what the declaration says: make it again\n")
    return 1
