"""Fields to be added to a row, and the response names that they get."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from connector.records.plan import FieldPath
from connector.records.selection import Selected
from connector.upstream import SchemaPath


@dataclass(slots=True)
class Addition:
    """
    A field that is to be selected, beside what is selected already.

    ``arguments`` are those that it has where it is selected already; ``below`` are fields to be added to it,
    by response names. A leaf has none.
    """

    field_name: str
    arguments: str = ""
    below: dict[str, Addition] = field(default_factory=dict)


def additions_to(
    row: Selected, *, own: Iterable[FieldPath] = (), known: Iterable[SchemaPath] = ()
) -> dict[str, Addition]:
    """
    Return what is to be added to ``row``, by response names, so that it has all these fields.

    Those of the user's ``own`` that are not there yet go by these names; what is ``known`` of the schema gets
    an alias where its name is taken by another field.
    """
    added: dict[str, Addition] = {}
    for path in own:
        _add_own(path, row, added)
    for path in known:
        _add_known(path, row, added)
    return added


def paths_of(added: dict[str, Addition], above: FieldPath = ()) -> Iterator[FieldPath]:
    """The paths of all fields that are added, by response names."""
    for name, addition in added.items():
        if addition.below:
            yield from paths_of(addition.below, (*above, name))
        else:
            yield (*above, name)


def is_absent(row: Selected, path: FieldPath) -> bool:
    """Whether ``path``, by response names, leads to nothing, so that it may be added."""
    here: Selected | None = row
    for name in path:
        if here is None or here.children is None:
            return False  # below a leaf there is nothing to add
        here = here.child(name)
        if here is None:
            return True
    return False


def _add_own(path: FieldPath, row: Selected, added: dict[str, Addition]) -> None:
    here: Selected | None = row
    for name in path:
        here = here.child(name) if here is not None else None
        new = Addition(here.field_name, here.arguments) if here is not None else Addition(name)
        added = added.setdefault(name, new).below


def _add_known(path: SchemaPath, row: Selected, added: dict[str, Addition]) -> None:
    here: Selected | None = row
    for depth, name in enumerate(path):
        there = here.children or {} if here is not None else {}
        response_name = _response_name(name, there, added, is_leaf=depth == len(path) - 1)
        here = there.get(response_name)
        added = added.setdefault(response_name, Addition(name)).below


def _response_name(
    name: str, there: dict[str, Selected], added: dict[str, Addition], *, is_leaf: bool
) -> str:
    """The name under which a field is selected or added already, or else may be."""
    for response_name, addition in added.items():
        if addition.field_name == name and not addition.arguments and bool(addition.below) is not is_leaf:
            return response_name
    same = [child for child in there.values() if _is_plain(child, name, is_leaf=is_leaf)]
    same.sort(key=lambda child: (child.is_conditional, child.response_name != name))
    if same and (not same[0].is_conditional or same[0].response_name == name):
        return same[0].response_name
    return _free_name(name, {*there, *added})


def _is_plain(child: Selected, name: str, *, is_leaf: bool) -> bool:
    return child.field_name == name and not child.arguments and (child.children is None) is is_leaf


def _free_name(name: str, taken: Collection[str]) -> str:
    """``name`` itself, or one of ours: names that begin with two underscores are GraphQL's."""
    candidate, number = name, 1
    while candidate in taken:
        candidate = f"_{name}" if number == 1 else f"_{name}_{number}"
        number += 1
    return candidate
