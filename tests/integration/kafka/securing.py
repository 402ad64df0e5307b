"""Settings for each listener of the secured broker, and users with rights."""

from __future__ import annotations

from pathlib import Path

from connector.kafka import KafkaSettings, Mechanism, Sasl, Security
from connector.tls import TlsSettings
from tests.brokers.certificates import CertificateFiles
from tests.brokers.secured import SecuredKafka

PASSWORD = 'pa"ss=wörd, \\+/%'
"""With characters that SCRAM, JAAS, URLs and JSON each treat in their own way."""


class Tokens:
    """Satisfies kafka's `TokenProvider`: always ``value``; it remembers what it was told."""

    def __init__(self, value: str, error: str | None = None) -> None:
        self.value = value
        self.error = error
        self.told: list[str] = []

    async def token(self) -> str:
        return self.value

    def rejected(self, token: str) -> None:
        assert token == self.value
        self.told.append("rejected")

    def accepted(self, token: str) -> None:
        assert token == self.value
        self.told.append("accepted")


def trusting(secured: SecuredKafka, files: CertificateFiles | None = None) -> TlsSettings:
    """Trust the authority of the broker, with a certificate where one is given."""
    certificate, key = (files.certificate, files.key) if files else (None, None)
    return TlsSettings(ca_file=secured.authority.file, certificate_file=certificate, key_file=key)


def scram(user: str, mechanism: Mechanism = "SCRAM-SHA-512", password: str = PASSWORD) -> Sasl:
    return Sasl(mechanism=mechanism, username=user, password=password)


def settings(servers: str, security: Security, *, request_timeout: float = 10.0) -> KafkaSettings:
    return KafkaSettings(
        bootstrap_servers=servers, client_id="test", security=security, request_timeout=request_timeout
    )


def over_scram(secured: SecuredKafka, user: str, password: str = PASSWORD) -> KafkaSettings:
    """SCRAM-SHA-512 over TLS."""
    security = Security(protocol="SASL_SSL", tls=trusting(secured), sasl=scram(user, password=password))
    return settings(secured.servers("SASL_TLS"), security)


def over_mtls(secured: SecuredKafka, files: CertificateFiles | None) -> KafkaSettings:
    """TLS with a client certificate."""
    return settings(secured.servers("MTLS"), Security(protocol="SSL", tls=trusting(secured, files)))


def over_oauth(secured: SecuredKafka, tokens: Tokens) -> KafkaSettings:
    """OAUTHBEARER over TLS."""
    sasl = Sasl(mechanism="OAUTHBEARER", tokens=tokens)
    security = Security(protocol="SASL_SSL", tls=trusting(secured), sasl=sasl)
    return settings(secured.servers("OAUTH"), security)


MISSING = Path("/nowhere/ca.pem")
