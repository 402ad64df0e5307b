"""Which tests stay together, what begins first, and the table of what took how long."""

import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.durations import by_directory, read, slowest
from tests.spread import groups_of, pytest_collection_modifyitems

E2E = "tests/e2e/test_x.py::test_{}"
UNIT = "tests/unit/auth/test_y.py::test_{}"


class Item:
    """As much of a test as is asked for."""

    def __init__(self, nodeid: str, *fixtures: str, takes: float | None = None, **params: object) -> None:
        self.nodeid = nodeid
        self.fixturenames = fixtures
        self.callspec = SimpleNamespace(params=params)
        self.marks: list[pytest.Mark] = [] if takes is None else [pytest.mark.takes(takes).mark]

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return next((mark for mark in self.marks if mark.name == name), None)


def groups(*items: Any) -> list[str]:
    """The groups of the tests, in their order."""
    return list(groups_of(list(items)).values())


def test_tests_that_share_brokers_are_one_group_also_where_a_parameter_names_them() -> None:
    kafka = "tests/integration/kafka/test_z.py::test_b"
    first, second, third = groups(
        Item(E2E.format("a"), "kafka3"),
        Item(f"{kafka}[three]", "cluster", cluster="kafka3"),
        Item(f"{kafka}[one]", "cluster", cluster="kafka"),
    )
    assert first == second != third


def test_a_fixture_that_two_workers_may_have_makes_two_groups() -> None:
    found = groups(*(Item(E2E.format(number), "secured") for number in range(10)))
    assert Counter(found) == {"secured-0": 5, "secured-1": 5}


def test_a_file_of_unit_tests_is_one_group_and_a_test_with_a_broker_its_own() -> None:
    found = groups(
        Item(E2E.format("a")), Item(E2E.format("b")), Item(UNIT.format("a")), Item(UNIT.format("b"))
    )
    assert found == [E2E.format("a"), E2E.format("b"), *["tests/unit/auth/test_y.py"] * 2]


def test_a_worker_puts_first_what_takes_long_and_the_first_one_tells_the_groups(tmp_path: Path) -> None:
    short, usual, long = Item(UNIT.format("a")), Item(E2E.format("a")), Item(E2E.format("b"), takes=90)
    other, file = Item(E2E.format("c")), tmp_path / "groups.json"
    for worker in ("gw1", "gw0"):
        assert not file.exists()
        items: list[Any] = [short, usual, other, long]
        config: Any = SimpleNamespace(workerinput={"workerid": worker, "groups_file": str(file)})
        pytest_collection_modifyitems(config, items)
        assert items == [long, usual, other, short]
    assert json.loads(file.read_text())[short.nodeid] == "tests/unit/auth/test_y.py"


def test_in_one_process_nothing_changes() -> None:
    short, long = Item(UNIT.format("a")), Item(E2E.format("a"), takes=90)
    items: list[Any] = [short, long]
    config: Any = SimpleNamespace()
    pytest_collection_modifyitems(config, items)
    assert items == [short, long]


LOG = """\
============================= slowest durations ==============================
12.50s call     tests/e2e/test_x.py::test_a[one two]
2.50s setup    tests/e2e/test_x.py::test_a[one two]
1.25s call     tests/integration/kafka/test_y.py::test_b[a@b]
0.25s teardown tests/integration/kafka/test_y.py::test_b[a@b]
"""


def test_durations_of_a_log_are_added_up() -> None:
    assert read(LOG) == {
        "tests/e2e/test_x.py::test_a[one two]": 15.0,
        "tests/integration/kafka/test_y.py::test_b[a@b]": 1.5,
    }


def test_the_tables_tell_directories_and_the_slowest() -> None:
    seconds = read(LOG)
    assert by_directory(seconds).splitlines()[2:] == [
        "| e2e | 1 | 15 | 15.0 |",
        "| integration/kafka | 1 | 2 | 1.5 |",
        "| all | 2 | 16 | 15.0 |",
    ]
    assert slowest(seconds).splitlines()[2] == "| 15.0 | `tests/e2e/test_x.py::test_a[one two]` |"
