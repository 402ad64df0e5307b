"""Everything that speaks to the brokers; the only importer of aiokafka."""

from connector.kafka.admin import (
    NewTopics,
    TopicCreation,
    TopicLimits,
    TopicRefused,
    create_topics,
    topic_configs,
    topic_limits,
)
from connector.kafka.batch import Batch
from connector.kafka.consumer import Progress, StoredRecord, read_topic
from connector.kafka.errors import (
    BrokerUnreachable,
    ContentRefused,
    FileUnusable,
    NotAllowed,
    ProducerBroken,
    QueueFull,
    TopicMissing,
)
from connector.kafka.keyed import write_keyed
from connector.kafka.partitioner import POSITIVE, murmur2, positive_hash
from connector.kafka.producer import Producer
from connector.kafka.request_size import RequestSize
from connector.kafka.security import Mechanism, Sasl, Security, SecurityProtocol, TokenProvider
from connector.kafka.settings import Compression, KafkaSettings

__all__ = [
    "POSITIVE",
    "Batch",
    "BrokerUnreachable",
    "Compression",
    "ContentRefused",
    "FileUnusable",
    "KafkaSettings",
    "Mechanism",
    "NewTopics",
    "NotAllowed",
    "Producer",
    "ProducerBroken",
    "Progress",
    "QueueFull",
    "RequestSize",
    "Sasl",
    "Security",
    "SecurityProtocol",
    "StoredRecord",
    "TokenProvider",
    "TopicCreation",
    "TopicLimits",
    "TopicMissing",
    "TopicRefused",
    "create_topics",
    "murmur2",
    "positive_hash",
    "read_topic",
    "topic_configs",
    "topic_limits",
    "write_keyed",
]
