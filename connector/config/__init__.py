"""
The configuration: one declaration (`Config`), read from YAML, checked as a whole.

`read_config` is the door; what it raises names every mistake with its line and what to do.
"""

from connector.config.change import Change, Part, compare, shown_values
from connector.config.files import Files
from connector.config.loaded import LoadedConfig, Outline
from connector.config.peers import Peers
from connector.config.read import check_without_secrets, read_config
from connector.config.root import Config
from connector.config.secret import Secret
from connector.config.watch import Watch

__all__ = [
    "Change",
    "Config",
    "Files",
    "LoadedConfig",
    "Outline",
    "Part",
    "Peers",
    "Secret",
    "Watch",
    "check_without_secrets",
    "compare",
    "read_config",
    "shown_values",
]
