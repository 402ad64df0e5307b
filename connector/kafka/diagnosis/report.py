"""What a probe of the brokers found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

BOOTSTRAP = "bootstrap"
"""What an address of the configuration is called."""

Verdict = Literal["ok", "refused", "failed", "not checked", "not needed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """
    ``verdict``: ``ok`` was seen to work; ``refused``: the brokers said no, to our credentials or for want of
    a right; ``failed``: nobody was reached, or what answered cannot be used; ``not checked``: nothing is
    known, for the reason in ``detail``; ``not needed``: the connector goes without.

    ``detail`` says what was seen, and what to do where something is to be done; empty where there is nothing
    to say. ``optional``: the connector runs without it, only less well.
    """

    verdict: Verdict
    detail: str = ""
    optional: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerFinding:
    """
    One address: whether it answers, and takes our credentials.

    ``node_id`` is ``None`` for an address from the configuration, else the id of the broker that advertises
    ``address`` (``host:port``). ``reason`` is a word for what is wrong (see
    `connector.kafka.diagnosis.refusal`), ``None`` where nothing is.
    """

    address: str
    node_id: int | None
    finding: Finding
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicFinding:
    """
    What we may do with ``topic``.

    ``partitions`` is ``None`` where it is not there, or may not be described. ``read`` is of interest only
    where it is read, and none of `findings`; ``config`` are its settings, ``None`` where they were not told.
    """

    topic: str
    partitions: int | None
    describe: Finding
    write: Finding
    create: Finding
    describe_configs: Finding
    read: Finding = Finding(verdict="not checked")
    config: Mapping[str, str | None] | None = None

    def findings(self) -> Iterator[tuple[str, Finding]]:
        """Each right with its name."""
        for name in ("describe", "write", "create", "describe_configs"):
            yield name, getattr(self, name)


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerReport:
    """
    ``brokers`` holds the addresses of the configuration first, then those that the brokers advertise.

    ``cluster_id`` is ``None`` where no broker told it; ``topics`` come in the order asked for.
    """

    cluster_id: str | None
    brokers: tuple[BrokerFinding, ...]
    idempotent_write: Finding
    topics: tuple[TopicFinding, ...]

    def findings(self) -> Iterator[tuple[str, Finding]]:
        """Everything, flat, each with what it is about."""
        for broker in self.brokers:
            who = BOOTSTRAP if broker.node_id is None else f"broker {broker.node_id}"
            yield f"{who} {broker.address}", broker.finding
        yield "idempotent write", self.idempotent_write
        for topic in self.topics:
            for name, finding in topic.findings():
                yield f"topic {topic.topic}: {name.replace('_', ' ')}", finding

    @property
    def is_refused(self) -> bool:
        """Whether credentials, or a right that is needed, were refused."""
        return any(finding.verdict == "refused" and not finding.optional for _, finding in self.findings())

    @property
    def is_usable(self) -> bool:
        """Whether nothing that is needed was refused or failed; what was not checked may still be."""
        of_config = [broker for broker in self.brokers if broker.node_id is None]
        others = [
            finding
            for name, finding in self.findings()
            if not name.startswith(BOOTSTRAP) and not finding.optional
        ]
        return any(broker.finding.verdict == "ok" for broker in of_config) and not any(
            finding.verdict in ("refused", "failed") for finding in others
        )
