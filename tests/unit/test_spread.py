"""Which tests stay together, what begins first, and the table of what took how long."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from tests.durations import by_directory, read, slowest
from tests.spread import group_of, pytest_collection_modifyitems

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

    def add_marker(self, mark: pytest.MarkDecorator) -> None:
        self.marks.append(mark.mark)

    @property
    def group(self) -> str | None:
        mark = self.get_closest_marker("xdist_group")
        return mark and mark.args[0]


def spread(*items: Any, config: object = SimpleNamespace(workerinput={})) -> list[Item]:
    ordered = list(items)
    pytest_collection_modifyitems(config, ordered)  # type: ignore[arg-type]
    return ordered


def test_tests_that_share_brokers_are_one_group_also_where_a_parameter_names_them() -> None:
    both = spread(
        Item(E2E.format("a"), "kafka3"),
        Item("tests/integration/kafka/test_z.py::test_b[three]", "cluster", cluster="kafka3"),
    )
    assert len({item.group for item in both}) == 1


def test_a_fixture_that_two_workers_may_have_makes_two_groups() -> None:
    turns: Counter[str] = Counter()
    items: list[Any] = [Item(E2E.format(number), "secured") for number in range(10)]
    assert Counter(group_of(item, turns) for item in items) == {"secured-0": 5, "secured-1": 5}


def test_a_file_of_unit_tests_is_one_group_and_a_test_with_a_broker_its_own() -> None:
    first, second, third, fourth = spread(
        Item(E2E.format("a")), Item(E2E.format("b")), Item(UNIT.format("a")), Item(UNIT.format("b"))
    )
    assert (first.group, second.group) == (None, None)
    assert third.group == fourth.group == "tests/unit/auth/test_y.py"


def test_what_takes_long_begins_first_and_else_the_order_is_kept() -> None:
    short, usual, long = Item(UNIT.format("a")), Item(E2E.format("a")), Item(E2E.format("b"), takes=90)
    other = Item(E2E.format("c"))
    assert spread(short, usual, other, long) == [long, usual, other, short]


def test_in_one_process_nothing_changes() -> None:
    items = [Item(UNIT.format("a")), Item(E2E.format("a"), takes=90)]
    assert spread(*items, config=SimpleNamespace()) == items
    assert [item.group for item in items] == [None, None]


LOG = """\
============================= slowest durations ==============================
12.50s call     tests/e2e/test_x.py::test_a[one two]@secured-1
2.50s setup    tests/e2e/test_x.py::test_a[one two]@secured-1
1.25s call     tests/integration/kafka/test_y.py::test_b[a@b]
0.25s teardown tests/integration/kafka/test_y.py::test_b[a@b]
"""


def test_durations_of_a_log_are_added_up_without_the_groups() -> None:
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
    assert slowest(seconds).splitlines()[2] == "| 15.0 | `e2e/test_x.py::test_a[one two]` |"
