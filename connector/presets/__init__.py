"""What is known of an upstream, so that a user need not write it down."""

from connector.presets.bitquery import BITQUERY
from connector.presets.generic import GENERIC
from connector.presets.goldrush import GOLDRUSH
from connector.presets.hasura import HASURA
from connector.presets.ohip import OHIP
from connector.presets.preset import Preset
from connector.presets.tibber import TIBBER

PRESETS: dict[str, Preset] = {
    preset.name: preset for preset in (GENERIC, BITQUERY, GOLDRUSH, HASURA, OHIP, TIBBER)
}
"""All presets by their names."""

__all__ = [
    "BITQUERY",
    "GENERIC",
    "GOLDRUSH",
    "HASURA",
    "OHIP",
    "PRESETS",
    "TIBBER",
    "Preset",
]
