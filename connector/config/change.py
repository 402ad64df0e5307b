"""Two configurations → what is different, and whether that can be applied to what runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from connector.config.loaded import LoadedConfig
from connector.config.paths import KeyPath, shown, visible
from connector.config.root import SubscriptionSection
from connector.config.section import Section
from connector.records.plan import SubscriptionPlan


class Part(Enum):
    """What of a running connector takes other settings outside of subscriptions."""

    LOG = "what is logged"
    TOKEN = "what tokens are asked for with, or the token"  # noqa: S105 - a part, no password
    ENDPOINT = "what the next session opens with"
    KAFKA = "what producers and admin calls prove themselves with"


_LIVE: tuple[tuple[KeyPath, Part], ...] = (
    # Secrets, what changes together with one, and the level and format of the log: the key, or all below it.
    (("log",), Part.LOG),
    (("token",), Part.TOKEN),
    (("oauth", "client_id"), Part.TOKEN),
    (("oauth", "client_secret"), Part.TOKEN),
    (("oauth", "headers"), Part.TOKEN),
    (("oauth", "tls"), Part.TOKEN),
    (("oauth", "proxy"), Part.TOKEN),
    (("endpoint", "headers"), Part.ENDPOINT),
    (("endpoint", "init_payload"), Part.ENDPOINT),
    (("endpoint", "tls"), Part.ENDPOINT),
    (("endpoint", "proxy"), Part.ENDPOINT),
    (("kafka", "security", "tls"), Part.KAFKA),
    (("kafka", "security", "sasl", "username"), Part.KAFKA),
    (("kafka", "security", "sasl", "password"), Part.KAFKA),
    (("kafka", "security", "oauth", "client_id"), Part.KAFKA),
    (("kafka", "security", "oauth", "client_secret"), Part.KAFKA),
    (("kafka", "security", "oauth", "headers"), Part.KAFKA),
    (("kafka", "security", "oauth", "tls"), Part.KAFKA),
    (("kafka", "security", "oauth", "proxy"), Part.KAFKA),
)


_ABSENT = object()


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """
    What a configuration has that the one before had not.

    ``added``, ``removed`` and ``changed`` are names of subscriptions; ``parts`` take other settings;
    ``keys`` are the paths of all that is different; ``refused`` are those among them that only a restart
    applies. Subscriptions are the same by name, wherever they stand in the file.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    parts: frozenset[Part] = frozenset()
    keys: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.keys)


def compare(old: LoadedConfig, new: LoadedConfig) -> Change:
    """Return what is different in ``new``."""
    before, after = _subscriptions(old), _subscriptions(new)
    added = tuple(name for name in after if name not in before)
    removed = tuple(name for name in before if name not in after)
    inside = {name: _differences(before[name], after[name]) for name in after if name in before}
    changed = {name: keys for name, keys in inside.items() if keys}
    parts = _parts(dict(_leaves(old.config)), dict(_leaves(new.config)))
    return Change(
        added=added,
        removed=removed,
        changed=tuple(changed),
        parts=frozenset(part for part in parts.values() if part is not None),
        keys=(
            *parts,
            *(subscription_path(name) for name in (*added, *removed)),
            *(f"{subscription_path(name)}.{key}" for name, keys in changed.items() for key in keys),
        ),
        refused=tuple(key for key, part in parts.items() if part is None),
    )


def shown_values(change: Change, new: LoadedConfig) -> dict[str, object]:
    """Key path → new value as `LoadedConfig.effective` shows it, ``None`` where there is none any more."""
    tree = new.effective()
    sections = tree.pop("subscriptions")
    assert isinstance(sections, list)
    values: dict[str, object] = {str(shown(visible(path))): value for path, value in _leaves(tree)}
    for section in sections:
        path = subscription_path(section["name"])
        values[path] = section
        values |= {f"{path}.{key}": value for key, value in section.items()}
    return {key: values.get(key) for key in change.keys}


def subscription_path(name: str) -> str:
    """How a subscription is called in key paths: by its name, for its place in the file means nothing."""
    return f"subscriptions[{name}]"


def _parts(old: Mapping[KeyPath, object], new: Mapping[KeyPath, object]) -> dict[str, Part | None]:
    """The paths of what is different outside of subscriptions, and who takes each; ``None``: nobody."""
    paths = [path for path in {**old, **new} if not _same(old.get(path, _ABSENT), new.get(path, _ABSENT))]
    known = set(paths)
    found: dict[str, Part | None] = {}
    for path in paths:
        if any(path[:length] in known for length in range(1, len(path))):
            continue  # what it is a part of is named
        part = next((part for prefix, part in _LIVE if path[: len(prefix)] == prefix), None)
        # A secret may have another value; one that comes or goes is another way to prove who we are.
        is_there = old.get(path) is not None and new.get(path) is not None
        key = str(shown(visible(path)))  # several may be the same as far as they may be shown
        found[key] = part if is_there and found.get(key, part) is not None else None
    return found


def _leaves(value: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """Every single value outside of subscriptions, with its path."""
    if path == ("subscriptions",):
        return
    if isinstance(value, Section):
        for name, field in type(value).model_fields.items():
            yield from _leaves(getattr(value, name), (*path, field.alias or name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, tuple | list) and any(isinstance(item, Section) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, value


def _same(old: object, new: object) -> bool:
    """Whether two values are the same as JSON has it, where ``true`` is not 1, nor 1 the same as 1.0."""
    if type(old) is not type(new):
        return False
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    if isinstance(old, tuple | list) and isinstance(new, tuple | list):
        return len(old) == len(new) and all(map(_same, old, new))
    return old == new


Subscription = tuple[SubscriptionSection, SubscriptionPlan]


def _subscriptions(loaded: LoadedConfig) -> dict[str, Subscription]:
    plans = {plan.name: plan for plan in loaded.plans}
    return {section.name: (section, plans[section.name]) for section in loaded.config.subscriptions}


def _differences(old: Subscription, new: Subscription) -> tuple[str, ...]:
    """
    The keys of one subscription that are different.

    A document counts by what it says, with the fields that were added to it; what is known of rows, and for
    how long, counts by what comes of it, whether it is written or a default.
    """
    (section, plan), (other, then) = old, new
    names = [name for name in SubscriptionSection.model_fields if name != "document"]
    keys = [name for name in names if not _same(getattr(section, name), getattr(other, name))]
    same_text = plan.document_text == then.document_text
    same = {
        "identity": plan.identity == then.identity and same_text,
        "dedup": plan.dedup == then.dedup,
        "add_fields": same_text,
    }
    keys = [name for name in keys if not same.get(name, False)]
    if not same_text and not {"add_fields", "identity"}.intersection(keys):
        keys.append("document")
    return tuple(keys)
