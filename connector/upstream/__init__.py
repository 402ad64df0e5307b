"""
The endpoint that rows come from, as all who talk to it or of it need it: its address, where the token goes,
and what tells its rows apart.
"""

from connector.upstream.cube import Cube, IdentityKind, IdentityPart, SchemaPath, cube
from connector.upstream.placement import Place, Placement
from connector.upstream.target import Opening, Target

__all__ = [
    "Cube",
    "IdentityKind",
    "IdentityPart",
    "Opening",
    "Place",
    "Placement",
    "SchemaPath",
    "Target",
    "cube",
]
