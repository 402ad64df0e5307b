"""
Names of hosts as resolvers and certificates have them: ASCII.

International names become A-labels by IDNA 2008 (RFC 5891), with the mapping of UTS #46 before it, as in
browsers. Python's own codec knows IDNA 2003 only, which leads ``straße.example`` to another host.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

LONGEST_NAME = 253
LONGEST_LABEL = 63
"""Characters (RFC 1035 §2.3.4, without the lengths themselves)."""

_LETTERS = re.compile(r"[A-Za-z0-9._~-]*")


class HostMistake(ValueError):
    """The host can be none: ``message`` goes on behind its name, ``remedy`` says what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def ascii_host(host: str) -> str:
    """
    Return ``host``, a name or an IP address without brackets, as it is looked up and named to peers.

    Raises:
        HostMistake: It can be neither.
    """
    try:
        ip_address(host)
    except ValueError:
        pass
    else:
        return host
    name = host if host.isascii() else _a_labels(host)
    labels = name.removesuffix(".").split(".")
    if not all(labels):
        raise HostMistake("has a host with an empty part", "write one dot between its parts, none before it")
    if len(name.removesuffix(".")) > LONGEST_NAME:
        raise HostMistake(f"has a host of more than {LONGEST_NAME} characters", "write the name of a host")
    if max(map(len, labels)) > LONGEST_LABEL:
        what = f"has a host with a part of more than {LONGEST_LABEL} characters"
        raise HostMistake(what, "write the name of a host")
    if not _LETTERS.fullmatch(name):
        raise HostMistake(
            "has a host with a character that no name of a host has", "write the name of a host"
        )
    return name


def _a_labels(host: str) -> str:
    import idna  # its tables take a while to load, and few need them

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        pass
    what = "has a host that is no international name (IDNA 2008)"
    raise HostMistake(what, "correct it, or write the name that DNS has (xn--…)")
