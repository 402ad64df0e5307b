"""Who is named when a session is shed."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from connector.task.overload import Overload


@pytest.mark.parametrize(
    ("to_kafka", "who"), [(True, "kafka takes less"), (False, "the output's reader takes")]
)
def test_a_shed_names_who_takes_the_rows(to_kafka: bool, who: str) -> None:
    with capture_logs() as lines:
        Overload("bsc", to_kafka=to_kafka).shed(held=2, bound=1)
    assert who in lines[0]["event"]
