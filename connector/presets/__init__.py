"""What is known of an upstream, so that a user need not write it down."""

from connector.presets.bitquery import BITQUERY
from connector.presets.generic import GENERIC
from connector.presets.preset import Credentials, Preset

PRESETS: dict[str, Preset] = {preset.name: preset for preset in (BITQUERY, GENERIC)}
"""All presets by their names."""

__all__ = ["BITQUERY", "GENERIC", "PRESETS", "Credentials", "Preset"]
