"""How connections to the brokers are secured, and as whom they are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from connector.tls import TlsSettings

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]


class TokenProvider(Protocol):
    """Where the tokens of OAUTHBEARER come from; one for all connections."""

    @property
    def error(self) -> str | None:
        """Return why there is no token, or no new one; ``None`` where all is well or nothing is known."""

    async def token(self) -> str:
        """Return a token for a connection that is being opened; wait until there is one."""

    def rejected(self, token: str) -> None:
        """Take note that a broker did not accept ``token``."""

    def accepted(self, token: str) -> None:
        """Take note that a broker accepted ``token``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sasl:
    """
    Who we are. ``username`` and ``password`` belong to PLAIN and SCRAM, ``tokens`` to OAUTHBEARER; each is
    ``None`` with the others.
    """

    mechanism: Mechanism
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tokens: TokenProvider | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Security:
    """
    Kafka's ``security.protocol`` and what belongs to it.

    ``tls`` counts with SSL and SASL_SSL, ``sasl`` is ``None`` with PLAINTEXT and SSL and must be given with
    the others.
    """

    protocol: SecurityProtocol = "PLAINTEXT"
    tls: TlsSettings = field(default_factory=TlsSettings)
    sasl: Sasl | None = None

    @property
    def uses_tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.protocol in ("SSL", "SASL_SSL")

    @property
    def uses_sasl(self) -> bool:
        """Whether connections are authenticated by SASL."""
        return self.protocol in ("SASL_PLAINTEXT", "SASL_SSL")
