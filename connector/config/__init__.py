"""
The configuration: one declaration (`sections`), read from YAML, checked as a whole.

`read_config` is the door; what it raises names every mistake with its line and what to do.
"""

from connector.config.change import Change, Part, compare, shown_values
from connector.config.read import read_config
from connector.config.root import Config
from connector.config.secret import Secret, Unresolved
from connector.config.watch import Watch

__all__ = [
    "Change",
    "Config",
    "Part",
    "Secret",
    "Unresolved",
    "Watch",
    "compare",
    "read_config",
    "shown_values",
]
