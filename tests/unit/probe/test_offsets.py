"""What is said of the topic of offsets."""

from __future__ import annotations

from dataclasses import replace

from connector.kafka import KafkaSettings
from connector.kafka.diagnosis import BrokerReport, TopicFinding
from connector.kafka.diagnosis import Finding as KafkaFinding
from connector.probe import BrokersProbe, Finding, OffsetsCheck, Report, Topics
from tests.unit.probe.test_brokers import server

OK = KafkaFinding(verdict="ok")
REFUSED = KafkaFinding(verdict="refused", detail="grant READ on topic c.offsets")
NOT_NEEDED = KafkaFinding(verdict="not needed")
TOPIC = TopicFinding(
    topic="c.offsets",
    partitions=2,
    describe=OK,
    write=OK,
    create=NOT_NEEDED,
    describe_configs=OK,
    read=OK,
    config={"cleanup.policy": "compact"},
)


def found(topic: TopicFinding, *, tasks: int = 2) -> dict[str, Finding]:
    probe = BrokersProbe(
        settings=KafkaSettings(bootstrap_servers="a:9092", client_id="test"),
        topics=Topics(),
        create=None,
        offsets=OffsetsCheck(topic="c.offsets", tasks=tasks),
    )
    report = BrokerReport(
        cluster_id="c", brokers=(server("a:9092", "ok"),), idempotent_write=OK, topics=(topic,)
    )
    findings = probe.findings_of(report, topic.config)
    return {one.check: one for one in findings if one.subject == "c.offsets"}


def report(findings: dict[str, Finding]) -> Report:
    return Report(findings=tuple(findings.values()))


def test_one_that_is_right() -> None:
    all_of_it = found(TOPIC)
    assert {one.outcome for one in all_of_it.values()} == {"ok"}
    assert set(all_of_it) == {
        "exists",
        "cleanup policy",
        "right to describe",
        "right to read",
        "right to write",
        "right to describe configs",
    }


def test_one_that_will_be_created() -> None:
    all_of_it = found(replace(TOPIC, partitions=None, create=OK, config=None))
    assert (all_of_it["exists"].outcome, all_of_it["exists"].needed) == ("ok", True)


def test_what_would_end_run_fails_the_check() -> None:
    policy = found(replace(TOPIC, config={"cleanup.policy": "delete"}))
    assert policy["cleanup policy"].outcome == "failed"
    assert "cleanup.policy=compact" in policy["cleanup policy"].remedy
    assert report(policy).is_failed
    partitions = found(TOPIC, tasks=3)
    assert "tasks is 3" in partitions["exists"].detail
    assert report(partitions).is_failed


def test_what_rows_can_do_without_is_named_and_does_not_fail_it() -> None:
    missing = KafkaFinding(verdict="failed", detail="the topic does not exist")
    absent = found(replace(TOPIC, partitions=None, describe=missing, config=None))
    assert "create it with cleanup.policy=compact and 2 partitions" in absent["exists"].detail
    right = found(replace(TOPIC, read=REFUSED))
    assert (right["right to read"].outcome, right["right to read"].needed) == ("missing", False)
    assert "grant READ" in right["right to read"].detail
    for findings in (absent, right):
        assert not report(findings).is_failed
        assert not report(findings).is_refused


def test_settings_that_are_not_told_are_no_finding() -> None:
    assert "cleanup policy" not in found(replace(TOPIC, config=None))


def test_a_partition_without_a_leader_is_said() -> None:
    leaderless = KafkaFinding(verdict="failed", detail="partitions without a leader: [1]")
    assert found(replace(TOPIC, describe=leaderless))["right to describe"].outcome == "failed"
