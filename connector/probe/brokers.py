"""Whether the brokers can be used, and what we may do with each topic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from connector.kafka import KafkaSettings, NewTopics
from connector.kafka.diagnosis import BrokerFinding, BrokerReport, TopicFinding, probe
from connector.kafka.diagnosis import Finding as KafkaFinding
from connector.probe.finding import Area, Finding, Outcome
from connector.probe.offsets import OffsetsCheck

WITHIN = 60.0
"""Seconds for all questions to all brokers together."""

_HOW = {
    "write": "operations told with the topic's metadata",
    "describe": "the topic's metadata",
    "create": "CreateTopics, only validated",
    "describe_configs": "DescribeConfigs",
    "idempotent write": "InitProducerId",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Topics:
    """
    Whose rows go where. ``named`` holds topics, ``templates`` names that only rows complete, each with who
    writes there.
    """

    named: Mapping[str, Sequence[str]] = field(default_factory=dict)
    templates: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokersProbe:
    """
    ``create`` of ``None``: topics must exist, and no admin call is made for it. ``offsets`` of ``None``: none
    are kept.
    """

    settings: KafkaSettings
    topics: Topics
    create: NewTopics | None
    offsets: OffsetsCheck | None = None

    async def run(self) -> list[Finding]:
        """Ask the brokers; nothing is written or created."""
        servers = self.settings.bootstrap_servers
        try:
            with anyio.fail_after(WITHIN):
                report = await probe(self.settings, self._wanted, create=self.create)
                config = await self._offsets_config(report)
        except TimeoutError:
            said = f"the brokers did not answer all questions within {WITHIN:g} s"
            return [_finding("kafka", servers, "brokers", "failed", detail=said), *self._of_templates()]
        return self.findings_of(report, config)

    @property
    def _wanted(self) -> list[str]:
        return [*self.topics.named, *([self.offsets.topic] if self.offsets is not None else [])]

    async def _offsets_config(self, report: BrokerReport) -> Mapping[str, str | None]:
        found = [topic for topic in report.topics if self.offsets and topic.topic == self.offsets.topic]
        return await self.offsets.config(self.settings, found[0]) if self.offsets and found else {}

    def findings_of(
        self, report: BrokerReport, offsets_config: Mapping[str, str | None] | None = None
    ) -> list[Finding]:
        """Return what is to be said of ``report``."""
        config = offsets_config or {}
        return [
            *_of_brokers(report),
            *(finding for topic in report.topics for finding in self._of_topic(topic, config)),
            *self._of_templates(),
        ]

    def _of_topic(self, topic: TopicFinding, offsets_config: Mapping[str, str | None]) -> Iterator[Finding]:
        if self.offsets is not None and topic.topic == self.offsets.topic:
            yield from self.offsets.findings_of(topic, offsets_config)
            return
        writers = ", ".join(self.topics.named.get(topic.topic, ()))
        rights = [right for _, right in topic.findings()]
        if all(right.verdict == "not checked" and right.detail == rights[0].detail for right in rights):
            detail = rights[0].detail
            yield _finding("topic", topic.topic, "rights", "not checked", detail=detail, writers=writers)
            return
        there = _existence(topic)
        yield _finding(
            "topic",
            topic.topic,
            "exists",
            there[0],
            detail=there[1],
            exists=topic.partitions is not None if there[0] != "not checked" else None,
            partitions=topic.partitions,
            writers=writers,
        )
        for name, found in topic.findings():
            if found.verdict == "failed" and found.detail == there[1]:
                continue
            yield _right(topic.topic, name, found)

    def _of_templates(self) -> Iterator[Finding]:
        for template, writers in self.topics.templates.items():
            yield _finding(
                "topic",
                template,
                "rights",
                "not checked",
                detail="its name is completed by each row, so it is known only when rows come",
                writers=", ".join(writers),
            )


def _of_brokers(report: BrokerReport) -> Iterator[Finding]:
    given = [broker for broker in report.brokers if broker.node_id is None]
    answers = any(broker.finding.verdict == "ok" for broker in given)
    for broker in report.brokers:
        yield _broker(broker, needed=broker.node_id is not None or not answers)
    yield _right("cluster", "idempotent write", report.idempotent_write, area="kafka")


def _broker(broker: BrokerFinding, *, needed: bool) -> Finding:
    check = "bootstrap server" if broker.node_id is None else f"broker {broker.node_id}"
    detail = broker.finding.detail or "answers"
    if not needed and broker.finding.verdict != "ok":
        detail += "; another address answers"
    return _finding(
        "kafka",
        broker.address,
        check,
        broker.finding.verdict,
        detail=detail,
        needed=needed,
        node_id=broker.node_id,
        reason=broker.reason,
    )


def _existence(topic: TopicFinding) -> tuple[Outcome, str]:
    if topic.partitions is not None:
        return "ok", f"{topic.partitions} partition{'s' if topic.partitions > 1 else ''}"
    if topic.describe.verdict == "failed":
        return "failed", topic.describe.detail
    if topic.create.verdict == "ok":
        return "ok", "not there yet: will be created"
    if topic.describe.verdict == "ok":
        # Who may not create it is told so in the line about that right.
        return "not checked", "not there"
    if topic.describe.verdict == "refused":
        return "not checked", "not known: it may not be described"
    return "not checked", "not known: nobody told"


def _right(subject: str, name: str, found: KafkaFinding, *, area: Area = "topic") -> Finding:
    outcome: Outcome = "missing" if found.verdict == "refused" else found.verdict
    return _finding(
        area,
        subject,
        name if " " in name else f"right to {name.replace('_', ' ')}",
        outcome,
        detail=found.detail,
        how=_HOW[name] if outcome in ("ok", "missing") else "",
        needed=not found.optional,
    )


def _finding(
    area: Area,
    subject: str,
    check: str,
    outcome: Outcome,
    *,
    detail: str = "",
    how: str = "",
    needed: bool = True,
    **facts: object,
) -> Finding:
    return Finding(
        area=area,
        subject=subject,
        check=check,
        outcome=outcome,
        detail=detail,
        how=how,
        needed=needed,
        facts=facts,
    )
