"""A configuration read for a command that asks no broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.config import read_config
from tests.unit.config.conftest import GENERIC, ORDERS

SECTION = "kafka:\n  bootstrap_servers: localhost:9092\n"


@pytest.mark.parametrize(
    "section",
    [
        "",
        SECTION,
        "kafka: 5\n",
        "kafka:\n  bootstrap_servers: ${env:NOT_SET}\n",
        "kafka:\n  bootstrap_servers: h:1\n  security: {protocol: SASL_SSL, password: '${env:NOT_SET}'}\n",
    ],
)
def test_the_section_of_kafka_is_not_looked_at(tmp_path: Path, section: str) -> None:
    (tmp_path / "orders.graphql").write_text(ORDERS)
    path = tmp_path / "shop.yaml"
    path.write_text(GENERIC.replace(SECTION, section))
    config = read_config(path, env={}, brokers=False)
    assert [plan.name for plan in config.plans] == ["orders"]
