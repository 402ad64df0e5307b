"""Names and connections for the whole process: no name holds up another, and no address holds up a host."""

from connector.network.hosts import HostMistake, ascii_host
from connector.network.loop import racing_loop
from connector.network.race import connect_first
from connector.network.resolver import Resolver

__all__ = ["HostMistake", "Resolver", "ascii_host", "connect_first", "racing_loop"]
