"""Where a token is put."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Place = Literal["url", "header", "init"]
"""The query of the URL, a header of the handshake, or the payload of ``connection_init``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """
    One place for the token.

    ``name`` is a query parameter, a header or a key of the init payload, where dots lead to keys of keys;
    ``template`` holds one ``{token}``.
    """

    place: Place
    name: str
    template: str = "{token}"
