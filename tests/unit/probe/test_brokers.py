"""What is said of a broker's report."""

from dataclasses import replace

from connector.kafka import KafkaSettings
from connector.kafka.diagnosis import BrokerFinding, BrokerReport, TopicFinding
from connector.kafka.diagnosis import Finding as KafkaFinding
from connector.probe import BrokersProbe, Finding, Report, Topics

OK = KafkaFinding(verdict="ok")
REFUSED = KafkaFinding(verdict="refused", detail="grant WRITE")
UNKNOWN = KafkaFinding(verdict="not checked", detail="no broker can be used")
NOT_NEEDED = KafkaFinding(verdict="not needed")
SETTINGS = KafkaSettings(bootstrap_servers="a:9092,b:9092", client_id="test")

TOPIC = TopicFinding(topic="t", partitions=3, describe=OK, write=OK, create=NOT_NEEDED, describe_configs=OK)


def server(address: str, verdict: str, node_id: int | None = None) -> BrokerFinding:
    finding = KafkaFinding(verdict=verdict)  # type: ignore[arg-type]
    return BrokerFinding(address=address, node_id=node_id, finding=finding)


def found(
    *topics: TopicFinding, brokers: tuple[BrokerFinding, ...] = (server("a:9092", "ok"),)
) -> dict[tuple[str, str], Finding]:
    probe = BrokersProbe(
        settings=SETTINGS,
        topics=Topics(named={"t": ["bsc", "dead letters"]}, templates={"t.{Hash}": ["eth"]}),
        create=None,
    )
    report = BrokerReport(cluster_id="c", brokers=brokers, idempotent_write=OK, topics=topics)
    return {(one.subject, one.check): one for one in probe.findings_of(report)}


def report(*findings: Finding) -> Report:
    return Report(findings=findings)


def test_a_topic_that_is_there() -> None:
    there = found(TOPIC)["t", "exists"]
    assert (there.outcome, there.detail) == ("ok", "3 partitions")
    assert there.facts == {"exists": True, "partitions": 3, "writers": "bsc, dead letters"}


def test_a_topic_that_will_be_created() -> None:
    there = found(replace(TOPIC, partitions=None, create=OK))["t", "exists"]
    assert (there.outcome, there.facts["exists"]) == ("ok", False)


def test_a_topic_that_may_not_be_created_is_not_there_and_not_ok() -> None:
    all_of_it = found(replace(TOPIC, partitions=None, create=REFUSED))
    assert all_of_it["t", "exists"].outcome == "not checked"
    assert report(*all_of_it.values()).is_refused


def test_a_topic_that_must_exist_and_does_not_is_said_once() -> None:
    gone = KafkaFinding(verdict="failed", detail="the topic does not exist")
    all_of_it = found(replace(TOPIC, partitions=None, describe=gone))
    assert all_of_it["t", "exists"].outcome == "failed"
    assert ("t", "right to describe") not in all_of_it
    assert report(*all_of_it.values()).is_failed


def test_a_missing_right_is_called_so_and_how_it_was_asked() -> None:
    right = found(replace(TOPIC, write=REFUSED))["t", "right to write"]
    assert (right.outcome, right.needed) == ("missing", True)
    assert right.how
    optional = replace(TOPIC, describe_configs=replace(REFUSED, optional=True))
    blind = found(optional)["t", "right to describe configs"]
    assert (blind.outcome, blind.needed) == ("missing", False)
    assert not report(blind).is_refused


def test_where_nobody_told_anything_that_is_said_once_and_is_not_ok() -> None:
    rights = dict.fromkeys(("describe", "write", "create", "describe_configs"), UNKNOWN)
    silent = replace(TOPIC, partitions=None, **rights)  # type: ignore[arg-type]
    (one,) = [finding for (subject, _), finding in found(silent).items() if subject == "t"]
    assert (one.outcome, one.detail) == ("not checked", "no broker can be used")


def test_names_that_rows_complete_are_not_checked() -> None:
    assert found()["t.{Hash}", "rights"].outcome == "not checked"


def test_one_address_that_answers_is_enough_of_those_given() -> None:
    both = found(brokers=(server("a:9092", "ok"), server("b:9092", "failed")))
    assert not report(*both.values()).is_failed
    none = found(brokers=(server("a:9092", "failed"), server("b:9092", "failed")))
    assert report(*none.values()).is_failed


def test_every_broker_that_is_advertised_is_needed() -> None:
    advertised = found(brokers=(server("a:9092", "ok"), server("inner:9092", "failed", node_id=1)))
    assert report(*advertised.values()).is_failed


def test_wrong_credentials_are_a_refusal() -> None:
    assert report(*found(brokers=(server("a:9092", "refused"),)).values()).is_refused
