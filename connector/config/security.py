"""How connections to the brokers are secured, and as whom they are made."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator

from connector.config.endpoint import OauthSection
from connector.config.mistake import Mistake
from connector.config.proxy import ProxyUrl
from connector.config.secret import Secret
from connector.config.section import Section, setting
from connector.config.tls import TlsSection
from connector.config.values import Flag, Text, choice
from connector.tls import TlsSettings

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")


def in_capitals(value: object) -> object:
    """Kafka's words, however they were written."""
    return value.upper() if isinstance(value, str) else value


def _no_zero(value: object) -> object:
    text = value.reveal() if isinstance(value, Secret) else value
    if isinstance(text, str) and "\0" in text:
        raise Mistake("holds a zero byte, which ends it for the broker", "take it out")
    return value


SecurityProtocol = Annotated[
    Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
    choice(*PROTOCOLS),
    BeforeValidator(in_capitals),
]
Mechanism = Annotated[
    Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"],
    choice(*MECHANISMS),
    BeforeValidator(in_capitals),
]
Password = Annotated[Secret, BeforeValidator(_no_zero)]
Username = Annotated[Text, BeforeValidator(_no_zero)]


class KafkaTlsSection(TlsSection):
    """Certificates for connections to the brokers (SSL and SASL_SSL)."""

    check_hostname: Flag = setting(
        True, "Whether the broker's certificate must name the host that is connected to."
    )

    def settings(self) -> TlsSettings:
        """The same for those who connect."""
        given = super().settings()
        return TlsSettings(
            ca_file=given.ca_file,
            certificate_file=given.certificate_file,
            key_file=given.key_file,
            key_password=given.key_password,
            check_hostname=self.check_hostname,
        )


class SaslSection(Section):
    """Who the connector is to the brokers (SASL_PLAINTEXT and SASL_SSL)."""

    mechanism: Mechanism = setting(..., "How it proves that.")
    username: Username | None = setting(None, "The user of PLAIN and SCRAM.")
    password: Password | None = setting(None, "The user's password.")


class KafkaOauthSection(OauthSection):
    """The token endpoint for OAUTHBEARER: a client credentials grant (RFC 6749 §4.4) of its own."""

    from_preset: ClassVar[frozenset[str]] = frozenset()

    tls: TlsSection | None = setting(
        None, "Certificates for these token requests. Default: the system's authorities, and no certificate."
    )
    proxy: ProxyUrl | None = setting(
        None, "What these token requests go through, or none. Default: the environment."
    )


class SecuritySection(Section):
    """How connections to the brokers are secured, producers and admin calls alike."""

    protocol: SecurityProtocol = setting(
        "PLAINTEXT",
        "The protocol of the listener: with TLS (…SSL), with SASL (SASL_…), with both or neither.",
    )
    tls: KafkaTlsSection | None = setting(
        None, "Certificates for connections to the brokers (SSL, SASL_SSL)."
    )
    sasl: SaslSection | None = setting(None, "Who the connector is to the brokers (SASL_…).")
    oauth: KafkaOauthSection | None = setting(None, "The token endpoint for the mechanism OAUTHBEARER.")
