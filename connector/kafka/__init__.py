"""Everything that speaks to the brokers; the only importer of aiokafka."""

from connector.kafka.admin import NewTopics, TopicLimits, create_topics, topic_limits
from connector.kafka.batch import Batch
from connector.kafka.errors import (
    BrokerUnreachable,
    ContentRefused,
    FileUnusable,
    NotAllowed,
    ProducerBroken,
    QueueFull,
    TopicMissing,
)
from connector.kafka.partitioner import POSITIVE, murmur2, positive_hash
from connector.kafka.probe import probe
from connector.kafka.producer import Producer
from connector.kafka.refusal import CannotConnect
from connector.kafka.report import BrokerFinding, BrokerReport, Finding, TopicFinding, Verdict
from connector.kafka.security import Mechanism, Sasl, Security, SecurityProtocol, TokenProvider
from connector.kafka.settings import Compression, KafkaSettings
from connector.kafka.survey import require_broker, survey, told

__all__ = [
    "POSITIVE",
    "Batch",
    "BrokerFinding",
    "BrokerReport",
    "BrokerUnreachable",
    "CannotConnect",
    "Compression",
    "ContentRefused",
    "FileUnusable",
    "Finding",
    "KafkaSettings",
    "Mechanism",
    "NewTopics",
    "NotAllowed",
    "Producer",
    "ProducerBroken",
    "QueueFull",
    "Sasl",
    "Security",
    "SecurityProtocol",
    "TokenProvider",
    "TopicFinding",
    "TopicLimits",
    "TopicMissing",
    "Verdict",
    "create_topics",
    "murmur2",
    "positive_hash",
    "probe",
    "require_broker",
    "survey",
    "told",
    "topic_limits",
]
