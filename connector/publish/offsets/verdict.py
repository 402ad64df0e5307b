"""Whether a topic can hold offsets, and what is to be done where it cannot."""

from __future__ import annotations

from collections.abc import Mapping

from connector.errors import ConfigError, Problem
from connector.kafka import NewTopics

POLICY = "cleanup.policy"

SETTINGS: Mapping[str, str] = {POLICY: "compact"}
"""Of a topic of offsets, without which it is none."""

TUNING: Mapping[str, str] = {"segment.bytes": str(50 * 1024 * 1024)}
"""
What is asked for besides: only whole segments are compacted, and all that is not is read at each start.
Brokers that do not allow it get none.
"""


def new_topic(partitions: int, replication_factor: int, *, tuned: bool = True) -> NewTopics:
    """Return how it is created."""
    config = {**SETTINGS, **(TUNING if tuned else {})}
    return NewTopics(partitions=partitions, replication_factor=replication_factor, config=config)


class OffsetsRefused(ConfigError):
    """The offsets topic cannot be used, and to go on would do harm."""

    def __init__(self, topic: str, message: str, remedy: str) -> None:
        super().__init__([Problem(where=f"topic {topic}", path=None, message=message, remedy=remedy)])


def wrong_policy(config: Mapping[str, str | None]) -> tuple[str, str] | None:
    """
    Return what is wrong with the settings of a topic, and the remedy; ``None`` where nothing is, or they do
    not tell.
    """
    policy = config.get(POLICY)
    if policy is None or policy.strip() == "compact":
        return None
    return (
        f"has {POLICY}={policy}, which deletes offsets that are still needed",
        f"set {POLICY}=compact alone (kafka-configs.sh --alter --add-config {POLICY}=compact), or delete the "
        "topic where nothing else is in it",
    )


def wrong_partitions(found: int, tasks: int) -> tuple[str, str] | None:
    """As `wrong_policy`, of the number of partitions."""
    if found == tasks:
        return None
    return (
        f"has {found} partition{'s' if found != 1 else ''}, and tasks is {tasks}: each task has its own",
        f"set tasks to {found}, which is fixed for the life of a connector's name, or take another name for "
        "the connector; to change it all the same, delete the topic, which forgets the offsets",
    )


def newer_format(version: int) -> tuple[str, str]:
    """As `wrong_policy`, of records that a newer program wrote."""
    return (
        f"holds offsets in format {version}, which a newer version of the connector wrote",
        "run that version again; or drop what it knew with its command 'connector offsets delete', or by "
        "deleting the topic",
    )
