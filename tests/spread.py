"""
How tests are spread over the workers of pytest-xdist (``-n 6``).

Each worker takes the next group of tests when it is nearly done with what it has. Tests that share something
expensive are one group, the tests of a file without brokers or servers too, and every other test is a group
of its own. What takes long begins first, so that in the end no worker is left alone with it.

xdist has groups too (``--dist loadgroup``), which it writes into the names of tests where pytest 9 does not
look any more; so the first worker tells the groups by a file.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

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

USUAL = {"e2e": 8.0, "integration": 4.0, "conformance": 2.0, "fuzz": 20.0, "bench": 1.0, "helm": 0.5}
"""Seconds of a test, by directory; elsewhere far less than one. `takes` tells of those that are unusual."""


GROUPS_FILE = "groups_file"
FILE = pytest.StashKey[Path]()


class Groups(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out the groups in the order of their first tests."""

    def __init__(self, config: pytest.Config, log: Producer, file: Path) -> None:
        super().__init__(config, log)
        self._file = file
        self._groups: dict[str, str] = {}

    def schedule(self) -> None:
        """See xdist: every worker has collected."""
        self._groups = json.loads(self._file.read_text())
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return self._groups[nodeid]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "takes(seconds): about so long; what takes long begins first")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups | None:
    """Take the place of xdist's own way, unless another one is asked for."""
    if config.getvalue("dist") != "load":
        return None
    config.option.loadscopereorder = False
    return Groups(config, log, _file(config))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    node.workerinput[GROUPS_FILE] = str(_file(node.config))


def pytest_unconfigure(config: pytest.Config) -> None:
    if FILE in config.stash:
        config.stash[FILE].unlink(missing_ok=True)


def _file(config: pytest.Config) -> Path:
    if FILE not in config.stash:
        with tempfile.NamedTemporaryFile(prefix="groups-", suffix=".json", delete=False) as file:
            config.stash[FILE] = Path(file.name)
    return config.stash[FILE]


@pytest.hookimpl(tryfirst=True)  # tests that are deselected count too: all workers must agree
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Form the groups, and put those that take longest first. In a single process nothing changes."""
    workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
    if workerinput is None:
        return
    groups = groups_of(items)
    weights: Counter[str] = Counter()
    for item in items:
        weights[groups[item.nodeid]] += round(1000 * seconds_of(item))
    items.sort(key=lambda item: -weights[groups[item.nodeid]])
    if workerinput["workerid"] == "gw0":
        # Whole or not at all: the file is there from the start, and read once all have collected.
        whole = Path(f"{workerinput[GROUPS_FILE]}.whole")
        whole.write_text(json.dumps(groups))
        whole.rename(workerinput[GROUPS_FILE])


def groups_of(items: list[pytest.Item]) -> dict[str, str]:
    """The name of each test's group; where a fixture may be had twice, tests take turns."""
    turns: Counter[str] = Counter()
    return {item.nodeid: _group_of(item, turns) for item in items}


def _group_of(item: pytest.Item, turns: Counter[str]) -> str:
    callspec = getattr(item, "callspec", None)
    # A parameter may be the name of a fixture: that of `cluster` is.
    fixtures = [*getattr(item, "fixturenames", ()), *(callspec.params.values() if callspec else ())]
    for fixture, copies in SHARED.items():
        if fixture in fixtures:
            turns[fixture] += 1
            return f"{fixture}-{turns[fixture] % copies}"
    return item.nodeid if _room(item) in USUAL else item.nodeid.partition("::")[0]


def seconds_of(item: pytest.Item) -> float:
    """About how long it takes."""
    takes = item.get_closest_marker("takes")
    return float(takes.args[0]) if takes is not None else USUAL.get(_room(item), 0.02)


def _room(item: pytest.Item) -> str:
    """The directory below tests/."""
    return Path(item.nodeid).parts[1]
