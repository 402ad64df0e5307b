"""The endpoint that rows come from, as all who talk to it need it: its address, and where the token goes."""

from connector.upstream.placement import Place, Placement
from connector.upstream.target import Opening, Target

__all__ = ["Opening", "Place", "Placement", "Target"]
