"""Everything that speaks to the brokers; the only importer of aiokafka."""

from connector.kafka.admin import NewTopics, TopicLimits, create_topics, topic_limits
from connector.kafka.errors import (
    BrokerUnreachable,
    ContentRefused,
    NotAllowed,
    ProducerBroken,
    QueueFull,
    TopicMissing,
)
from connector.kafka.partitioner import positive_hash
from connector.kafka.probe import probe
from connector.kafka.producer import Batch, Producer
from connector.kafka.report import BrokerFinding, BrokerReport, Finding, TopicFinding, Verdict
from connector.kafka.settings import Compression, KafkaSettings

__all__ = [
    "Batch",
    "BrokerFinding",
    "BrokerReport",
    "BrokerUnreachable",
    "Compression",
    "ContentRefused",
    "Finding",
    "KafkaSettings",
    "NewTopics",
    "NotAllowed",
    "Producer",
    "ProducerBroken",
    "QueueFull",
    "TopicFinding",
    "TopicLimits",
    "TopicMissing",
    "Verdict",
    "create_topics",
    "positive_hash",
    "probe",
    "topic_limits",
]
