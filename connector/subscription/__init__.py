"""GraphQL over WebSocket: the protocol machine, its transport, and the bounded inbox."""

from gql.graphql_request import GraphQLRequest

from connector.subscription.backpressure import Backpressure
from connector.subscription.credentials import Opening, Placement, Target
from connector.subscription.errors import (
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
from connector.subscription.protocol import Delivered, Unreadable
from connector.subscription.settings import SessionSettings
from connector.subscription.transport import Transport

__all__ = [
    "Backpressure",
    "Delivered",
    "GraphQLError",
    "GraphQLRequest",
    "Inbox",
    "MemoryBudget",
    "MemoryShare",
    "Opening",
    "Placement",
    "ProtocolViolation",
    "RawPayload",
    "ServerCompleted",
    "ServerRefused",
    "SessionError",
    "SessionSettings",
    "Silent",
    "SocketClosed",
    "Subprotocol",
    "Target",
    "Transport",
    "Unreadable",
    "read_errors",
    "refusal_in_data",
    "result_of",
]
