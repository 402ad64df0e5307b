"""Rows on standard output in the place of Kafka."""

from connector.tail.lines import line_of
from connector.tail.printer import CannotPrint, Printer
from connector.tail.tail import NothingLive, Tail

__all__ = ["CannotPrint", "NothingLive", "Printer", "Tail", "line_of"]
