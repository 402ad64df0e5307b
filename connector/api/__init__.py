"""Health and metrics over HTTP."""

from connector.api.bodies import ConfigBody, KafkaBody, OffsetsBody, ReadyBody, SubscriptionBody, TokenBody
from connector.api.connections import ConnectionLimits
from connector.api.server import ApiServer, CannotListen, Health

__all__ = [
    "ApiServer",
    "CannotListen",
    "ConfigBody",
    "ConnectionLimits",
    "Health",
    "KafkaBody",
    "OffsetsBody",
    "ReadyBody",
    "SubscriptionBody",
    "TokenBody",
]
