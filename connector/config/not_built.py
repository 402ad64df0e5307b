"""Keys and values that belong to features which are not built yet: refused by name, never ignored."""

from __future__ import annotations

from collections.abc import Iterator

from connector.config.paths import KeyPath
from connector.config.source import Source

_NOT_BUILT = "is not built yet"

_ANY: tuple[str, ...] = ()

_TABLE: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    # key, its values that are not built (_ANY: the key itself is not), what to do
    (("delivery",), ("exactly_once",), "write at_least_once and drop repeats where you consume"),
    (("start",), _ANY, "take it out; a subscription starts with what arrives once it is live"),
    (("subscriptions", "cursor"), _ANY, "take it out; what the preset knows is shown by validate"),
    (("subscriptions", "backfill"), _ANY, "take it out; time without a session is logged and counted"),
    (
        ("subscriptions", "start"),
        _ANY,
        "take it out; a subscription starts with what arrives once it is live",
    ),
    (
        ("subscriptions", "value", "format"),
        ("json_schema", "avro", "protobuf"),
        "write json: the row's own bytes",
    ),
)


def refuse_not_built(tree: dict[str, object], source: Source) -> None:
    """Report each such key or value, and take it out of ``tree``."""
    for names, values, remedy in _TABLE:
        for holder, path in list(_holders(tree, names, ())):
            value = holder[names[-1]]
            if not values or value in values:
                message = f"{value} {_NOT_BUILT}" if values else _NOT_BUILT
                source.report(path, message, remedy)
                del holder[names[-1]]


def names_not_built() -> Iterator[tuple[str, str]]:
    """Each key, with its refused values where only those are, and what to do instead."""
    for names, values, remedy in _TABLE:
        name = ".".join(names).replace("subscriptions.", "subscriptions[].")
        yield (f"{name}: {' | '.join(values)}" if values else name).replace("|", "/"), remedy


def _holders(
    tree: object, names: tuple[str, ...], path: KeyPath
) -> Iterator[tuple[dict[str, object], KeyPath]]:
    """Every mapping that holds the key at the end of ``names``, and that key's path."""
    if isinstance(tree, list):
        for index, item in enumerate(tree):
            yield from _holders(item, names, (*path, index))
    elif isinstance(tree, dict) and names[0] in tree:
        here = (*path, names[0])
        if len(names) > 1:
            yield from _holders(tree[names[0]], names[1:], here)
        else:
            yield tree, here
