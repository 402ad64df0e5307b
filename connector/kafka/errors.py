"""
What Kafka answers, by what is done about it::

    RetriableError
    ├── BrokerUnreachable     no broker answers, or not in time
    │   └── FileUnusable      nobody was asked, for want of a file with certificates
    ├── TopicMissing          the topic does not exist, and we may not or could not create it
    ├── NotAllowed            an ACL refuses; retried slowly
    ├── QueueFull             the producer took no batch within its request timeout; offer it again
    └── ProducerBroken        this producer cannot go on; build a new one
    DataError
    └── ContentRefused        the broker refuses a batch for what is in it, whole
"""

from __future__ import annotations

from aiokafka import errors as kafka_errors

from connector.errors import ConnectorError, DataError, RetriableError
from connector.kafka.error_codes import Handling, error_code
from connector.kafka.internals import RequestRefused, code_of
from connector.tls import TlsFileError


class BrokerUnreachable(RetriableError):
    """No broker answered."""


class FileUnusable(BrokerUnreachable):
    """A file with certificates cannot be used, so nobody was asked."""

    def __init__(self, error: TlsFileError) -> None:
        super().__init__(f"kafka.security.tls.{error}: {error.remedy}")


class TopicMissing(RetriableError):
    """``topic`` is not there."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"topic {topic} does not exist: create it, or set topics.create to true")
        self.topic = topic


class NotAllowed(RetriableError):
    """
    The brokers refuse ``what`` to us.

    ``code`` is the name of Kafka's error code where a batch was answered with one, else ``None``.
    """

    def __init__(self, what: str, *, code: str | None = None) -> None:
        super().__init__(f"the brokers do not allow {what}: grant it to the connector's principal")
        self.code = code


IDEMPOTENT_WRITES = "idempotent writes (WRITE on any topic, or IDEMPOTENT_WRITE on the cluster)"
"""What `NotAllowed` says where a producer may not even begin."""


class QueueFull(RetriableError):
    """The producer's queue did not drain in time; the batch was not taken."""


class ProducerBroken(RetriableError):
    """
    The producer cannot deliver any more.

    ``code`` is the name of Kafka's error code where brokers answered one, else ``None``.
    """

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


_MESSAGE_TOO_LARGE = 10
_CLUSTER_AUTHORIZATION_FAILED = 31


class ContentRefused(DataError):
    """
    The broker refused a batch for its content, and wrote none of it.

    ``reason`` is "too_large", "timestamp", "topic" or "invalid".
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def translate_error(error: BaseException, *, topic: str) -> ConnectorError:
    """Return our error for one of the client library's, met while writing to ``topic``."""
    if isinstance(error, kafka_errors.KafkaTimeoutError):
        return QueueFull("the producer's queue did not drain")
    if isinstance(error, RequestRefused):
        return ContentRefused("too_large", str(error)) if error.is_one_row else ProducerBroken(str(error))
    too_large = isinstance(error, kafka_errors.RecordTooLargeError)  # the library says so before it asks
    code = error_code(_MESSAGE_TOO_LARGE) if too_large else code_of(error)
    if code is None:
        return ProducerBroken(f"the producer failed with {type(error).__name__}")
    if code.handling is Handling.CONTENT:
        return ContentRefused(code.reason, code.text)
    if code.handling is Handling.MISSING:
        return TopicMissing(topic)
    if code.code == _CLUSTER_AUTHORIZATION_FAILED:
        return NotAllowed(IDEMPOTENT_WRITES, code=code.name)
    if code.handling is Handling.RIGHT:
        return NotAllowed(f"to write to topic {topic}", code=code.name)
    return ProducerBroken(f"the brokers answer {code} to a batch for topic {topic}", code=code.name)
