"""The access token: where it comes from, and how it is kept fresh."""

from connector.auth.broker_tokens import BrokerTokenProvider
from connector.auth.endpoint import ClientCredentials, secrets_of
from connector.auth.file import TokenFile, TokenFileUnreadable
from connector.auth.grant import Grant, GrantRefused, GrantUnavailable
from connector.auth.keeper import Keeper
from connector.auth.source import TokenObserver, TokenSource
from connector.auth.static import StaticToken
from connector.auth.token import Token, TokenStatus
from connector.auth.token_use import BROKERS, ENDPOINT, GIVEN

__all__ = [
    "BROKERS",
    "ENDPOINT",
    "GIVEN",
    "BrokerTokenProvider",
    "ClientCredentials",
    "Grant",
    "GrantRefused",
    "GrantUnavailable",
    "Keeper",
    "StaticToken",
    "Token",
    "TokenFile",
    "TokenFileUnreadable",
    "TokenObserver",
    "TokenSource",
    "TokenStatus",
    "secrets_of",
]
