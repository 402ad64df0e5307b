"""Paths of response names against what a document selects."""

from __future__ import annotations

from typing import Literal

from connector.records.findings import did_you_mean
from connector.records.plan import FieldPath, Finding
from connector.records.selection import TYPENAME, Selected


def find_rows(
    root: Selected,
    wanted: FieldPath | None,
    default: Literal["root", "cube"],
    findings: list[Finding],
) -> tuple[FieldPath, Selected | None]:
    """
    Where the rows are: the path from ``data``, and the field it ends at.

    The field is ``None`` where there is none; what is wrong is added to ``findings``. A field beside the
    path is wrong too: it would be received, billed, and never published.
    """
    path = wanted or _default(root, default, findings)
    if path is None:
        return (), None
    if path[0] != root.response_name:
        findings.append(_unselected("rows", path, path[0], [root.response_name]))
        return path, None
    field = root
    for depth, name in enumerate(path[1:], start=1):
        child = field.child(name)
        if child is None:
            findings.append(_unselected("rows", path, name, list(field.children or ())))
            return path, None
        if child.is_never:
            findings.append(_never("rows", path[: depth + 1]))
            return path, None
        findings += _left_out(field, name, path[:depth])
        field = child
    return path, field


def check_leaf(key: str, path: FieldPath, row: Selected, rows: FieldPath) -> list[Finding]:
    """What is wrong with ``path``, relative to a row, as the path of a leaf."""
    field = row
    for depth, name in enumerate(path, start=1):
        child = field.child(name)
        if child is None:
            return [_not_in_row(key, path, name, field, row, rows)]
        if child.is_never:
            return [_never(key, path[:depth])]
        field = child
    if field.children is not None:
        what = f"{dotted(path)} is not a leaf of the selection"
        leaves = [dotted((*path, *leaf)) for leaf in field.leaves()]
        return [Finding(key=key, message=what, remedy=f"name one of its fields: {_some(leaves)}")]
    return []


def check_lists(key: str, path: FieldPath, root: Selected) -> list[Finding]:
    """What is wrong with ``path``, relative to a ``root`` whose fields are cubes: each of them is a list."""
    if len(path) < 2 or all(cube.response_name != path[0] for cube in cubes_of(root)):
        return []
    what = f"{dotted(path)} leads through {path[0]}, which is a list: it would be null in every record"
    rows = dotted((root.response_name, path[0]))
    return [Finding(key=key, message=what, remedy=f"write rows: {rows}, and the path relative to that")]


def cubes_of(root: Selected) -> list[Selected]:
    """The fields below the root that can be in an answer."""
    below = (root.children or {}).values()
    return [child for child in below if child.field_name != TYPENAME and not child.is_never]


def dotted(path: FieldPath) -> str:
    return ".".join(path)


def _default(root: Selected, default: Literal["root", "cube"], findings: list[Finding]) -> FieldPath | None:
    if default == "root":
        return (root.response_name,)
    cubes = cubes_of(root)
    if len(cubes) == 1 and cubes[0].children is not None:
        return (root.response_name, cubes[0].response_name)
    if len(cubes) > 1:
        what = f"the document selects {len(cubes)} cubes: {', '.join(cube.response_name for cube in cubes)}"
        remedy = "split it into one subscription for each cube; that costs no more, cubes are billed"
        findings.append(_at(cubes[1], what, remedy))
    else:
        bare = cubes[0] if cubes else root
        what = f"{bare.response_name} selects no rows"
        findings.append(_at(bare, what, "select a cube with its fields, as in EVM { Transfers { … } }"))
    return None


def _left_out(parent: Selected, name: str, above: FieldPath) -> list[Finding]:
    return [
        Finding(
            key="rows",
            message=f"{dotted((*above, other.response_name))} is not covered by rows and would be lost",
            remedy="split the document, or shorten rows so that it covers both",
            line=other.line,
            column=other.column,
        )
        for other in (parent.children or {}).values()
        if other.response_name != name and other.field_name != TYPENAME and not other.is_never
    ]


def _never(key: str, path: FieldPath) -> Finding:
    what = f"{dotted(path)} is left out of every answer by its @skip(if: true) or @include(if: false)"
    return Finding(key=key, message=what, remedy="take that directive out of the document")


def _unselected(key: str, path: FieldPath, name: str, there: list[str]) -> Finding:
    what = f"the document does not select {name!r}" + (f" of {dotted(path)}" if len(path) > 1 else "")
    remedy = did_you_mean(name, there) or "name what it selects (aliases where it has them)"
    return Finding(key=key, message=what, remedy=remedy)


def _not_in_row(
    key: str, path: FieldPath, name: str, field: Selected, row: Selected, rows: FieldPath
) -> Finding:
    what = f"a row of {dotted(rows)} has no {dotted(path)}"
    if path[: len(rows)] == rows and len(path) > len(rows):
        remedy = f"the path is relative to a row: write {dotted(path[len(rows) :])}"
        return Finding(key=key, message=what, remedy=remedy)
    leaves = [dotted(leaf) for leaf in row.leaves()]
    ending = [leaf for leaf in leaves if leaf.endswith(f".{dotted(path)}")]
    if ending:
        return Finding(key=key, message=what, remedy=f"did you mean {ending[0]!r}?")
    there = list(field.children or ())
    remedy = did_you_mean(dotted(path), leaves) or did_you_mean(name, there) or f"there is: {_some(leaves)}"
    if not leaves:
        remedy = "its rows are plain values without fields; take the path out"
    return Finding(key=key, message=what, remedy=remedy)


def _some(leaves: list[str], limit: int = 12) -> str:
    return ", ".join(leaves[:limit]) + (", …" if len(leaves) > limit else "")


def _at(field: Selected, message: str, remedy: str) -> Finding:
    return Finding(key="document", message=message, remedy=remedy, line=field.line, column=field.column)
