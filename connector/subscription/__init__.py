"""GraphQL over WebSocket: the protocol machine, its transport, and the bounded inbox."""

from gql.graphql_request import GraphQLRequest

from connector.subscription.backpressure import Backpressure, BackpressurePolicy
from connector.subscription.errors import (
    Interrupted,
    ProtocolViolation,
    ServerCompleted,
    ServerRefused,
    SessionError,
    Silent,
    SocketClosed,
)
from connector.subscription.inbox import Inbox
from connector.subscription.memory import MemoryBudget, MemoryShare
from connector.subscription.messages import (
    GraphQLError,
    RawPayload,
    Subprotocol,
    read_errors,
    refusal_in_data,
    result_of,
)
from connector.subscription.protocol import Delivered, Misnamed, Unreadable
from connector.subscription.settings import SessionSettings
from connector.subscription.transport import Transport
from connector.subscription.turns import turn_for

__all__ = [
    "Backpressure",
    "BackpressurePolicy",
    "Delivered",
    "GraphQLError",
    "GraphQLRequest",
    "Inbox",
    "Interrupted",
    "MemoryBudget",
    "MemoryShare",
    "Misnamed",
    "ProtocolViolation",
    "RawPayload",
    "ServerCompleted",
    "ServerRefused",
    "SessionError",
    "SessionSettings",
    "Silent",
    "SocketClosed",
    "Subprotocol",
    "Transport",
    "Unreadable",
    "read_errors",
    "refusal_in_data",
    "result_of",
    "turn_for",
]
