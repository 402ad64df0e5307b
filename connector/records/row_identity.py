"""
Which of its selected fields tell a row from others, and which says where it stands in time.

What is known of a cube is written in names of the schema; a row has response names. A field counts where it
is in every answer and is nothing but itself: under no ``@include`` or ``@skip`` that a variable decides, and
without arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from connector.records.aggregates import metrics_in
from connector.records.paths import dotted
from connector.records.plan import DocumentRules, FieldPath, Finding, RowIdentity, SubscriptionSpec
from connector.records.selection import Selected
from connector.upstream import Cube, IdentityPart, SchemaPath

_NAME_THEM = "name the fields that tell one row from another: identity: [Transaction.Hash, Log.Index]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Identified:
    """
    What tells a row from others.

    ``lacks`` say why there is no ``identity`` or no ``cursor``, and what would help. With the fields
    ``missing`` in the document there would be both; those that are ``optional`` would make the identity
    better.
    """

    identity: RowIdentity | None = None
    cursor: FieldPath | None = None
    lacks: tuple[Finding, ...] = ()
    missing: tuple[SchemaPath, ...] = ()
    optional: tuple[SchemaPath, ...] = ()


def identify(
    root: Selected, rows: FieldPath, row: Selected, spec: SubscriptionSpec, rules: DocumentRules
) -> Identified:
    """Return what tells a ``row``, which is at ``rows``, from others; what the user named comes first."""
    obstacle = obstacle_to_identity(rows, row, rules)
    if obstacle is not None:
        return Identified(cursor=spec.cursor, lacks=(obstacle,))
    own = RowIdentity(fields=spec.identity, kind="unique") if spec.identity else None
    cube = _cube_at(root, rows, rules)
    if cube is None:
        lacks = () if own is not None else (_unknown(root, rows, rules),)
        return Identified(identity=own, cursor=spec.cursor, lacks=lacks)
    found = _by_cube(cube, row) if own is None else Identified(identity=own)
    if spec.cursor is not None:
        return replace(found, cursor=spec.cursor)
    cursor = find_field(row, cube.cursor)
    if cursor is not None:
        return replace(found, cursor=cursor)
    return replace(
        found,
        lacks=(*found.lacks, _lacking("cursor", (cube.cursor,), row)),
        missing=(*found.missing, cube.cursor),
    )


def obstacle_to_identity(rows: FieldPath, row: Selected, rules: DocumentRules) -> Finding | None:
    """Return why no row may have an identity, whoever names it; ``None``: nothing stands in the way."""
    metrics = [dotted(path) for path in metrics_in(row, rules)]
    if metrics:
        what = f"a row is made of many by {', '.join(metrics[:3])}{', …' if len(metrics) > 3 else ''}"
        remedy = "leave that out of the document and count where you consume, or do without an identity"
        return Finding(key="identity", message=what, remedy=remedy)
    if row.is_conditional:
        what = f"{dotted(rows)} may be left out of an answer by its @include or @skip"
        return Finding(key="identity", message=what, remedy="take that directive out of the document")
    return None


def find_field(row: Selected, path: SchemaPath) -> FieldPath | None:
    """Return by which response names the field at ``path`` is in every row; ``None``: it is not."""
    name, *below = path
    for child in sorted((row.children or {}).values(), key=lambda child: child.response_name != name):
        if child.field_name != name or child.arguments or child.is_conditional:
            continue
        if not below:
            if child.children is None:
                return (child.response_name,)
            continue
        rest = find_field(child, tuple(below))
        if rest is not None:
            return (child.response_name, *rest)
    return None


def _cube_at(root: Selected, rows: FieldPath, rules: DocumentRules) -> Cube | None:
    return rules.cubes.get(_cube_name(root, rows) or "")


def _cube_name(root: Selected, rows: FieldPath) -> str | None:
    """``Root.Cube``, where the rows are those of one cube."""
    cube = root.child(rows[1]) if len(rows) == 2 else None
    return f"{root.field_name}.{cube.field_name}" if cube is not None else None


def _unknown(root: Selected, rows: FieldPath, rules: DocumentRules) -> Finding:
    name = _cube_name(root, rows)
    if not rules.cubes:
        what, remedy = "none is set", _NAME_THEM
    elif name is None:
        what = f"{dotted(rows)} is no list of one cube"
        remedy = "split the document into one subscription for each cube, and leave rows out"
    else:
        what, remedy = f"what tells the rows of {name} apart is not known", _NAME_THEM
    return Finding(key="identity", message=what, remedy=remedy)


def _by_cube(cube: Cube, row: Selected) -> Identified:
    fields: dict[FieldPath, None] = {}
    missing: dict[SchemaPath, None] = {}
    optional: dict[SchemaPath, None] = {}
    for part in cube.identity:
        found = _selected(part, row)
        if found is not None:
            fields |= dict.fromkeys(found)
        else:
            absent = optional if part.optional else missing
            absent |= dict.fromkeys(_absent(part, row))
    if missing:
        lack = _lacking("identity", tuple(missing), row)
        return Identified(lacks=(lack,), missing=tuple(missing), optional=tuple(optional))
    return Identified(identity=RowIdentity(fields=tuple(fields), kind=cube.kind), optional=tuple(optional))


def _selected(part: IdentityPart, row: Selected) -> tuple[FieldPath, ...] | None:
    """The fields of the first alternative that are all in a row."""
    for way in part.alternatives:
        found = [find_field(row, path) for path in way]
        there = tuple(path for path in found if path is not None)
        if len(there) == len(way):
            return there
    return None


def _absent(part: IdentityPart, row: Selected) -> Sequence[SchemaPath]:
    """The fields that the alternative lacks that lacks the fewest."""
    lacking = [[path for path in way if find_field(row, path) is None] for way in part.alternatives]
    return min(lacking, key=len)


def _lacking(key: str, missing: tuple[SchemaPath, ...], row: Selected) -> Finding:
    names = ", ".join(map(dotted, missing))
    at_times = [dotted(path) for path in missing if any(_conditional(row, path))]
    what = f"the document does not select {names}"
    if at_times:
        what += f" ({', '.join(at_times)} only where @include or @skip let it)"
    return Finding(key=key, message=what, remedy="write add_fields: true, or select it")


def _conditional(row: Selected, path: SchemaPath) -> Iterator[bool]:
    """Yield where the field at ``path`` is selected, but not for every answer."""
    for child in (row.children or {}).values():
        if child.field_name == path[0] and not child.arguments and not child.is_never:
            if len(path) == 1:
                yield child.is_conditional
            else:
                yield from _conditional(child, path[1:])
