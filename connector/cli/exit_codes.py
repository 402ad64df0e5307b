"""What the shell sees."""

CLEAN = 0
FAILED = 1
"""Failed while running."""
CONFIGURATION = 2
"""The configuration, or the command line, cannot be used."""
UNREACHABLE = 3
"""`check`: something that is needed cannot be reached or used."""
REFUSED = 4
"""`check`: credentials were refused, or a right is missing."""
