"""
How tests are spread over the workers of pytest-xdist (``--dist loadgroup``).

Each worker takes the next group of tests when it is nearly done with what it has. Tests that share something
expensive are one group, the tests of a file without brokers or servers too, and every other test is a group
of its own. What takes long begins first, so that in the end no worker is left alone with it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

SHARED = {
    "scene": 1,
    "second_scene": 1,
    "fragile3": 1,
    "kafka3": 1,
    "lonely": 2,
    "secured": 2,
    "helm": 1,
}
"""Fixtures that one worker, or two, shall have for all tests: brokers of their own, or steps of one story."""

USUAL = {"e2e": 6.0, "integration": 2.0, "conformance": 1.0, "fuzz": 2.0, "bench": 1.0, "helm": 0.5}
"""Seconds of a test, by directory; elsewhere far less than one. `takes` tells of those that are unusual."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "takes(seconds): about so long; what takes long begins first")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Form the groups, and put those that take longest first. In a single process nothing changes."""
    if not hasattr(config, "workerinput"):
        return
    turns: Counter[str] = Counter()
    groups = {item: group_of(item, turns) for item in items}
    weights: Counter[str] = Counter()
    for item, group in groups.items():
        if group != item.nodeid:
            item.add_marker(pytest.mark.xdist_group(group))
        weights[group] += round(1000 * seconds_of(item))
    items.sort(key=lambda item: -weights[groups[item]])


def group_of(item: pytest.Item, turns: Counter[str]) -> str:
    """The name of its group; where a fixture may be had twice, tests take turns."""
    callspec = getattr(item, "callspec", None)
    # A parameter may be the name of a fixture: that of `cluster` is.
    fixtures = [*getattr(item, "fixturenames", ()), *(callspec.params.values() if callspec else ())]
    for fixture, copies in SHARED.items():
        if fixture in fixtures:
            turns[fixture] += 1
            return f"{fixture}-{turns[fixture] % copies}"
    return item.nodeid if _room(item) in USUAL else item.nodeid.partition("::")[0]


def seconds_of(item: pytest.Item) -> float:
    takes = item.get_closest_marker("takes")
    return float(takes.args[0]) if takes is not None else USUAL.get(_room(item), 0.02)


def _room(item: pytest.Item) -> str:
    """The directory below tests/."""
    return Path(item.nodeid).parts[1]
