"""Whether the topic of offsets can be used. Rows come without it; but what is wrong with it ends `run`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.errors import ConnectorError
from connector.kafka import KafkaSettings, topic_configs
from connector.kafka.diagnosis import Finding as KafkaFinding
from connector.kafka.diagnosis import TopicFinding
from connector.probe.finding import Finding, Outcome
from connector.publish.offsets import wrong_partitions, wrong_policy

WRITER = "offsets"
"""Who writes there."""

WITHOUT = "without it offsets are not kept, and rows come all the same"

_RIGHTS = {
    "describe": "the topic's metadata",
    "read": "operations told with the topic's metadata",
    "write": "operations told with the topic's metadata",
    "create": "CreateTopics, only validated",
    "describe_configs": "DescribeConfigs",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class OffsetsCheck:
    """What is to be looked at: ``topic``, which has a partition for each of ``tasks``."""

    topic: str
    tasks: int

    async def config(self, settings: KafkaSettings, found: TopicFinding) -> Mapping[str, str | None]:
        """Return its settings, where they may be seen; asked for also where no topic is to be created."""
        if found.config is not None or found.partitions is None:
            return found.config or {}
        try:
            return (await topic_configs(settings, [self.topic])).get(self.topic, {})
        except ConnectorError:
            return {}

    def findings_of(self, found: TopicFinding, config: Mapping[str, str | None]) -> Iterator[Finding]:
        """Return what is to be said of it."""
        if found.partitions is None:
            yield self._absent(found)
        else:
            yield from self._present(found.partitions, config)
        for name, how in _RIGHTS.items():
            right: KafkaFinding = getattr(found, name)
            is_there = found.partitions is not None
            if right.verdict in ("refused", "ok") or (is_there and right.verdict != "not needed"):
                yield self._right(name, right, how)

    def _absent(self, found: TopicFinding) -> Finding:
        if found.create.verdict == "ok":
            return self._finding("exists", "ok", "not there yet: will be created", needed=True)
        if found.describe.verdict == "failed":
            detail = (
                f"not there: create it with cleanup.policy=compact and {self._partitions(self.tasks)}, "
                f"or set topics.create to true; {WITHOUT}"
            )
            return self._finding("exists", "failed", detail)
        return self._finding("exists", "not checked", f"not known whether it is there; {WITHOUT}")

    def _present(self, partitions: int, config: Mapping[str, str | None]) -> Iterator[Finding]:
        wrong = wrong_partitions(partitions, self.tasks)
        if wrong is None:
            yield self._finding("exists", "ok", self._partitions(partitions), needed=True)
        else:
            yield self._finding("exists", "failed", *wrong, needed=True)
        wrong = wrong_policy(config)
        if wrong is not None:
            yield self._finding("cleanup policy", "failed", *wrong, needed=True)
        elif "cleanup.policy" in config:
            yield self._finding("cleanup policy", "ok", "compact")

    def _right(self, name: str, right: KafkaFinding, how: str) -> Finding:
        outcome: Outcome = "missing" if right.verdict == "refused" else right.verdict
        detail = f"{right.detail}; {WITHOUT}" if outcome == "missing" and not right.optional else right.detail
        check = f"right to {name.replace('_', ' ')}"
        return self._finding(check, outcome, detail, how=how if outcome in ("ok", "missing") else "")

    def _finding(
        self,
        check: str,
        outcome: Outcome,
        detail: str,
        remedy: str = "",
        *,
        how: str = "",
        needed: bool = False,
    ) -> Finding:
        return Finding(
            area="topic",
            subject=self.topic,
            check=check,
            outcome=outcome,
            detail=detail,
            remedy=remedy,
            how=how,
            needed=needed,
            facts={"writers": WRITER},
        )

    @staticmethod
    def _partitions(count: int) -> str:
        return f"{count} partition{'s' if count > 1 else ''}"
