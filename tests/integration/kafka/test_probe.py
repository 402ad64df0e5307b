"""Each right is told as the StandardAuthorizer has it, and asking leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from connector.kafka import KafkaSettings, NewTopics
from connector.kafka.diagnosis import BrokerReport, TopicFinding, probe
from tests.brokers.admin import admin_client, create_topic
from tests.brokers.reader import end_offsets
from tests.brokers.secured import SecuredKafka
from tests.integration.kafka.securing import MISSING, PASSWORD, Tokens, over_mtls, over_oauth, over_scram

CREATE = NewTopics()


@pytest.fixture
def user(secured: SecuredKafka, topic_name: Callable[[], str]) -> str:
    """A user without any right."""
    name = topic_name()
    secured.set_password(name, PASSWORD)
    return name


@pytest.fixture
async def topic(secured: SecuredKafka, topic_name: Callable[[], str]) -> str:
    """A topic of three partitions."""
    return await create_topic(secured.cluster.bootstrap_servers, topic_name(), partitions=3)


def verdicts(finding: TopicFinding) -> dict[str, str]:
    return {name: each.verdict for name, each in finding.findings()}


async def only_topic(
    settings: KafkaSettings, topic: str, create: NewTopics | None = CREATE
) -> tuple[BrokerReport, TopicFinding]:
    report = await probe(settings, [topic], create=create)
    (finding,) = report.topics
    return report, finding


async def test_somebody_without_rights_is_refused_everything(
    secured: SecuredKafka, user: str, topic: str
) -> None:
    report, finding = await only_topic(over_scram(secured, user), topic)
    assert [(broker.node_id, broker.finding.verdict) for broker in report.brokers] == [
        (None, "ok"),
        (1, "ok"),
    ]
    assert report.idempotent_write.verdict == "refused"
    assert verdicts(finding) == {
        "describe": "refused",
        "write": "refused",
        "create": "refused",
        "describe_configs": "not checked",
    }
    assert (report.is_refused, report.is_usable, finding.partitions) == (True, False, None)
    assert f"WRITE on topic {topic}" in finding.write.detail


async def test_write_is_all_that_an_existing_topic_needs(
    secured: SecuredKafka, user: str, topic: str
) -> None:
    secured.allow(user, "WRITE", topic=topic)
    report, finding = await only_topic(over_scram(secured, user), topic)
    assert report.idempotent_write.verdict == "ok"
    assert verdicts(finding) == {
        "describe": "ok",
        "write": "ok",
        "create": "not needed",
        "describe_configs": "refused",
    }
    assert finding.describe_configs.optional
    assert (report.is_refused, report.is_usable, finding.partitions) == (False, True, 3)

    secured.allow(user, "DESCRIBE_CONFIGS", topic=topic)
    _, finding = await only_topic(over_scram(secured, user), topic)
    assert finding.describe_configs.verdict == "ok"


async def test_describe_alone_lacks_write(secured: SecuredKafka, user: str, topic: str) -> None:
    secured.allow(user, "DESCRIBE", topic=topic)
    report, finding = await only_topic(over_scram(secured, user), topic, None)
    assert verdicts(finding) == {
        "describe": "ok",
        "write": "refused",
        "create": "not needed",
        "describe_configs": "not needed",
    }
    assert report.idempotent_write.verdict == "refused"
    assert report.is_refused


@pytest.mark.parametrize("where", ["topic", "prefix", "cluster"])
async def test_a_missing_topic_may_be_created_and_is_not(
    secured: SecuredKafka, user: str, topic_name: Callable[[], str], where: str
) -> None:
    topic = topic_name()
    secured.allow(user, "WRITE", topic=topic)
    scope = {"topic": topic, "prefix": topic[:-2], "cluster": None}[where]
    secured.allow(user, "CREATE", topic=scope, prefixed=where == "prefix")
    report, finding = await only_topic(over_scram(secured, user), topic)
    assert verdicts(finding) == {
        "describe": "ok",
        "write": "ok",
        "create": "ok",
        "describe_configs": "not checked",
    }
    assert (report.is_usable, finding.partitions) == (True, None)
    async with admin_client(secured.cluster.bootstrap_servers) as admin:
        assert topic not in await admin.list_topics()


async def test_a_missing_topic_that_may_not_be_created(
    secured: SecuredKafka, user: str, topic_name: Callable[[], str]
) -> None:
    topic = topic_name()
    secured.allow(user, "WRITE", topic=topic)
    report, finding = await only_topic(over_scram(secured, user), topic)
    assert (finding.create.verdict, finding.create.optional, report.is_refused) == ("refused", False, True)
    assert "CREATE" in finding.create.detail

    report, finding = await only_topic(over_scram(secured, user), topic, None)
    assert (finding.describe.verdict, finding.write.verdict) == ("failed", "ok")
    assert "does not exist" in finding.describe.detail
    assert (report.is_refused, report.is_usable) == (False, False)


async def test_what_the_brokers_would_not_create_is_told_with_their_reason(
    secured: SecuredKafka, user: str, topic_name: Callable[[], str]
) -> None:
    topic = topic_name()
    secured.allow(user, "WRITE", "CREATE", topic=topic)
    new = NewTopics(partitions=1, replication_factor=9)
    report, finding = await only_topic(over_scram(secured, user), topic, new)
    assert (finding.create.verdict, report.is_usable) == ("failed", False)
    assert "replication factor" in finding.create.detail.lower()


async def test_asking_publishes_nothing(secured: SecuredKafka, user: str, topic: str) -> None:
    secured.allow(user, "WRITE", topic=topic)
    await only_topic(over_scram(secured, user), topic)
    assert set((await end_offsets(secured.cluster.bootstrap_servers, topic)).values()) == {0}


async def test_rights_belong_to_the_name_of_a_certificate_and_to_the_subject_of_a_token(
    secured: SecuredKafka, topic: str, topic_name: Callable[[], str]
) -> None:
    principal = topic_name()[-20:]  # a common name has 64 letters at most
    secured.allow(principal, "WRITE", topic=topic)
    for settings in (
        over_mtls(secured, secured.certificate(principal)),
        over_oauth(secured, Tokens(secured.token(principal))),
    ):
        report, finding = await only_topic(settings, topic)
        assert (report.is_usable, finding.write.verdict) == (True, "ok")
    other = over_mtls(secured, secured.certificate("somebody-else"))
    assert (await only_topic(other, topic))[1].write.verdict == "refused"


async def test_where_nobody_asks_for_rights_all_is_allowed(secured: SecuredKafka, topic: str) -> None:
    settings = KafkaSettings(bootstrap_servers=secured.cluster.bootstrap_servers, client_id="test")
    report, finding = await only_topic(settings, topic)
    assert report.cluster_id
    assert {each.verdict for _, each in report.findings()} == {"ok", "not needed"}
    assert finding.partitions == 3


async def test_a_wrong_password_is_refused_and_nothing_else_is_claimed(
    secured: SecuredKafka, user: str, topic: str
) -> None:
    report, finding = await only_topic(over_scram(secured, user, "wrong"), topic)
    (broker,) = report.brokers
    assert (broker.finding.verdict, broker.reason) == ("refused", "credentials")
    assert (report.is_refused, report.is_usable) == (True, False)
    assert set(verdicts(finding).values()) == {"not checked"}
    assert report.idempotent_write.verdict == "not checked"


async def test_a_file_that_is_not_there_is_told(secured: SecuredKafka, user: str, topic: str) -> None:
    settings = over_scram(secured, user)
    tls = replace(settings.security.tls, ca_file=MISSING)
    settings = replace(settings, security=replace(settings.security, tls=tls))
    report, finding = await only_topic(settings, topic)
    (broker,) = report.brokers
    assert (broker.finding.verdict, broker.reason) == ("failed", "file")
    assert str(MISSING) in broker.finding.detail
    assert set(verdicts(finding).values()) == {"not checked"}
    assert (report.is_refused, report.is_usable) == (False, False)


async def test_several_topics_are_told_apart_and_in_order(
    secured: SecuredKafka, user: str, topic: str, topic_name: Callable[[], str]
) -> None:
    forbidden = await create_topic(secured.cluster.bootstrap_servers, topic_name())
    missing = topic_name()
    secured.allow(user, "WRITE", topic=topic)
    secured.allow(user, "WRITE", "CREATE", topic=missing)
    report = await probe(over_scram(secured, user), [forbidden, topic, missing, topic], create=CREATE)
    assert [finding.topic for finding in report.topics] == [forbidden, topic, missing]
    assert [finding.write.verdict for finding in report.topics] == ["refused", "ok", "ok"]
    assert [finding.create.verdict for finding in report.topics] == ["refused", "not needed", "ok"]
    names = [name for name, _ in report.findings()]
    assert f"topic {topic}: describe configs" in names
