"""
The inner side of aiokafka: the only place that names what its documentation does not.

Everything here replaces, subclasses or reads something that aiokafka may change in any release. So its
version is pinned exactly, and `tests/unit/kafka/test_internals.py` holds the source of each such thing: an
upgrade that changes one fails there by name. The rest of `connector.kafka` uses what aiokafka documents
(``aiokafka``, ``aiokafka.abc``, ``aiokafka.admin``, ``aiokafka.errors``), and this package.
"""

from connector.kafka.internals.batch_queue import BatchQueue
from connector.kafka.internals.bootstrap import closing_bootstrap
from connector.kafka.internals.broker_errors import code_of
from connector.kafka.internals.clients import ask_for_topic, client_of, metadata_time, replace_ssl_context
from connector.kafka.internals.codecs import CODECS, python_crc32c, python_murmur2
from connector.kafka.internals.connection import BrokerConnection, Stage, TokenRefused
from connector.kafka.internals.guard import Guard
from connector.kafka.internals.metadata import fetch_operations
from connector.kafka.internals.pace import (
    Silence,
    leaderless,
    pace_metadata,
    waited_for,
    watch_while_leaderless,
)
from connector.kafka.internals.produce import RequestRefused
from connector.kafka.internals.shutdown import ProduceRequests, abort
from connector.kafka.internals.topic_creation import create_none_by_asking

__all__ = [
    "CODECS",
    "BatchQueue",
    "BrokerConnection",
    "Guard",
    "ProduceRequests",
    "RequestRefused",
    "Silence",
    "Stage",
    "TokenRefused",
    "abort",
    "ask_for_topic",
    "client_of",
    "closing_bootstrap",
    "code_of",
    "create_none_by_asking",
    "fetch_operations",
    "leaderless",
    "metadata_time",
    "pace_metadata",
    "python_crc32c",
    "python_murmur2",
    "replace_ssl_context",
    "waited_for",
    "watch_while_leaderless",
]
