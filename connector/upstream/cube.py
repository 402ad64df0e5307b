"""What tells the rows of a list in an upstream's schema from one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

IdentityKind = Literal["unique", "advisory"]
"""
``unique``: two rows with the same identity are the same row. ``advisory``: very likely so, and what they say
counts too.
"""

SchemaPath: TypeAlias = tuple[str, ...]
"""Names of the schema (not aliases), from a row inwards."""

_OPTIONAL = "?"
_OR = "|"
_AND = "+"


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentityPart:
    """
    One thing that is needed to tell rows apart: the fields of the first of ``alternatives`` whose fields are
    all selected. Where none is, the identity lacks it, unless it is ``optional``.
    """

    alternatives: tuple[tuple[SchemaPath, ...], ...]
    optional: bool = False

    def __str__(self) -> str:
        """The part in the notation of `cube`."""
        ways = [f" {_AND} ".join(".".join(path) for path in way) for way in self.alternatives]
        return f" {_OR} ".join(ways) + (_OPTIONAL if self.optional else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cube:
    """
    Rows of one kind.

    All parts of ``identity`` together tell one from another, as surely as ``kind`` says; ``cursor`` is what
    their order in time is told by.
    """

    identity: tuple[IdentityPart, ...]
    kind: IdentityKind
    cursor: SchemaPath


def cube(*identity: str, kind: IdentityKind, cursor: str) -> Cube:
    """
    Return a cube whose parts are written as ``Block.Number`` (needed), ``Block.Hash?`` (taken where it is
    selected), ``Transaction.Hash | Transaction.Index`` (either) or ``Log.Index | Call.Index + Call.Depth``
    (the one, or both of the others).
    """
    return Cube(identity=tuple(map(_part, identity)), kind=kind, cursor=_path(cursor))


def _part(text: str) -> IdentityPart:
    written = text.removesuffix(_OPTIONAL)
    alternatives = tuple(tuple(map(_path, way.split(_AND))) for way in written.split(_OR))
    return IdentityPart(alternatives=alternatives, optional=written != text)


def _path(text: str) -> SchemaPath:
    return tuple(text.strip().split("."))
