"""What the shell sees."""

CLEAN = 0
FAILED = 1
"""Failed while running."""
CONFIGURATION = 2
"""The configuration, or the command line, cannot be used."""
