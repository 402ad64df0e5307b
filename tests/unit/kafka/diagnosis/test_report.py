"""What a report adds up to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.kafka.diagnosis import BrokerFinding, BrokerReport, Finding, TopicFinding

OK = Finding(verdict="ok")
REFUSED = Finding(verdict="refused", detail="grant it")
FAILED = Finding(verdict="failed", detail="nobody listens")
UNKNOWN = Finding(verdict="not checked")
UNNEEDED = Finding(verdict="not needed")
OPTIONAL = Finding(verdict="refused", optional=True)

BOOTSTRAP = BrokerFinding(address="kafka:9092", node_id=None, finding=OK)
BROKER = BrokerFinding(address="kafka-1:9092", node_id=1, finding=OK)
TOPIC = TopicFinding(topic="dex", partitions=3, describe=OK, write=OK, create=UNNEEDED, describe_configs=OK)
ALL_WELL = BrokerReport(cluster_id="c", brokers=(BOOTSTRAP, BROKER), idempotent_write=OK, topics=(TOPIC,))


def with_topic(**changes: Finding) -> BrokerReport:
    return replace(ALL_WELL, topics=(replace(TOPIC, **changes),))  # type: ignore[arg-type]


def test_everything_is_named() -> None:
    assert [name for name, _ in ALL_WELL.findings()] == [
        "bootstrap kafka:9092",
        "broker 1 kafka-1:9092",
        "idempotent write",
        "topic dex: describe",
        "topic dex: write",
        "topic dex: create",
        "topic dex: describe configs",
    ]


@pytest.mark.parametrize(
    ("report", "refused", "usable"),
    [
        (ALL_WELL, False, True),
        (with_topic(write=REFUSED), True, False),
        (with_topic(write=UNKNOWN), False, True),
        (with_topic(describe_configs=OPTIONAL), False, True),
        (with_topic(describe=FAILED), False, False),
        (replace(ALL_WELL, idempotent_write=REFUSED), True, False),
        (replace(ALL_WELL, brokers=(replace(BOOTSTRAP, finding=FAILED),)), False, False),
        (replace(ALL_WELL, brokers=(replace(BOOTSTRAP, finding=REFUSED),)), True, False),
        # One of several addresses is enough to find the others, an advertised one is needed.
        (replace(ALL_WELL, brokers=(replace(BOOTSTRAP, finding=FAILED), BOOTSTRAP, BROKER)), False, True),
        (replace(ALL_WELL, brokers=(BOOTSTRAP, replace(BROKER, finding=FAILED))), False, False),
    ],
)
def test_what_is_needed_and_refused_or_failed_counts(
    report: BrokerReport, refused: bool, usable: bool
) -> None:
    assert (report.is_refused, report.is_usable) == (refused, usable)
