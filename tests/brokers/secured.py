"""
One broker with a listener for each way to be secure, and rights for those whom they were given.

::

    PLAINTEXT   anybody, who may do everything: for the tests themselves
    TLS         TLS, whoever connects is anonymous
    MTLS        TLS, a client certificate is needed; the principal is its common name
    SASL        SCRAM and PLAIN in the clear
    SASL_TLS    SCRAM and PLAIN over TLS
    OAUTH       OAUTHBEARER over TLS; connections end with their token

Rights are those of the StandardAuthorizer: what is not allowed is refused.
"""

import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.brokers.certificates import Authority, CertificateFiles
from tests.brokers.cluster import KafkaCluster

HOST = "127.0.0.1"
"""The only name in the broker's certificate: who connects to localhost meets another."""

LISTENERS = {
    "TLS": "SSL",
    "MTLS": "SSL",
    "SASL": "SASL_PLAINTEXT",
    "SASL_TLS": "SASL_SSL",
    "OAUTH": "SASL_SSL",
}

PLAIN_USER, PLAIN_PASSWORD = "paula", f"plain-{secrets.token_hex(8)}"
"""PLAIN knows only whom the broker's configuration names."""

AUDIENCE, ISSUER = "kafka", "https://issuer.test"
DEADLINE = 90.0
ANY_HOST = "*"

Acl = TypeVar("Acl", AclBinding, AclBindingFilter)


class SecuredKafka:
    """Formatted when made, running while it is a context manager."""

    def __init__(self, directory: Path, classpath: str) -> None:
        self.authority = Authority(directory / "certificates")
        self._signer = RSAKey.generate_key(2048, parameters={"kid": "tests"})
        jwks = directory / "jwks.json"
        jwks.write_text(json.dumps({"keys": [self._signer.as_dict(private=False)]}))
        self.cluster = KafkaCluster(
            directory / "brokers",
            classpath,
            config=_config(self.authority, jwks),
            listeners=LISTENERS,
            jvm=[f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={jwks.as_uri()}"],
        )

    def __enter__(self) -> Self:
        self.cluster.start()
        self._admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap_servers})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del self._admin  # it would complain of the broker's end
        self.cluster.stop()

    def servers(self, listener: str) -> str:
        """The address of a listener."""
        return self.cluster.servers(listener)

    def set_password(self, user: str, password: str) -> None:
        """Give ``user`` this password for SCRAM of both lengths; from now on it is the only one."""
        changes = [
            UserScramCredentialUpsertion(user, ScramCredentialInfo(mechanism, 4096), password.encode())
            for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)
        ]
        for change in changes:  # the library takes one of each user at a time
            for future in self._admin.alter_user_scram_credentials([change]).values():
                future.result(DEADLINE)

    def certificate(self, user: str, *, password: str | None = None) -> CertificateFiles:
        """A client certificate whose principal is ``user``."""
        return self.authority.issue(user, password=password)

    def token(self, user: str, *, life: float = 3600.0, audience: str = AUDIENCE) -> str:
        """A token for ``user``, good for ``life`` seconds; with another ``audience`` not for this broker."""
        now = int(time.time())
        claims = {"sub": user, "iss": ISSUER, "aud": audience, "iat": now, "exp": now + life}
        header = {"alg": "RS256", "kid": "tests"}
        return jwt.encode(header, {**claims, "jti": secrets.token_hex(8)}, self._signer)

    def allow(self, user: str, *operations: str, topic: str | None = None, prefixed: bool = False) -> None:
        """Allow ``user`` the operations on ``topic`` (``None``: the cluster), or all that begin with it."""
        bindings = [_acl(AclBinding, user, operation, topic, prefixed=prefixed) for operation in operations]
        for future in self._admin.create_acls(bindings).values():
            future.result(DEADLINE)

    def forbid(self, user: str, *operations: str, topic: str | None = None, prefixed: bool = False) -> None:
        """Take back what was allowed."""
        filters = [
            _acl(AclBindingFilter, user, operation, topic, prefixed=prefixed) for operation in operations
        ]
        for future in self._admin.delete_acls(filters).values():
            assert future.result(DEADLINE), "nothing of the kind was allowed"


def _acl(kind: type[Acl], user: str, operation: str, topic: str | None, *, prefixed: bool) -> Acl:
    return kind(
        ResourceType.BROKER if topic is None else ResourceType.TOPIC,
        "kafka-cluster" if topic is None else topic,
        ResourcePatternType.PREFIXED if prefixed else ResourcePatternType.LITERAL,
        f"User:{user}",
        ANY_HOST,
        AclOperation[operation],
        AclPermissionType.ALLOW,
    )


def _config(authority: Authority, jwks: Path) -> Mapping[str, str]:
    broker = authority.issue("broker", HOST)
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    settings = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(broker.both),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.file),
        "listener.name.mtls.ssl.client.auth": "required",
        "listener.name.mtls.ssl.principal.mapping.rules": r"RULE:.*CN=([^,]+).*/$1/",
        "listener.name.oauth.sasl.enabled.mechanisms": "OAUTHBEARER",
        **_oauth(jwks),
    }
    for listener in ("sasl", "sasl_tls"):
        prefix = f"listener.name.{listener}"
        settings[f"{prefix}.sasl.enabled.mechanisms"] = "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN"
        settings[f"{prefix}.plain.sasl.jaas.config"] = f'{plain} user_{PLAIN_USER}="{PLAIN_PASSWORD}";'
        for mechanism in ("scram-sha-256", "scram-sha-512"):
            settings[f"{prefix}.{mechanism}.sasl.jaas.config"] = scram
    return settings


def _oauth(jwks: Path) -> Mapping[str, str]:
    prefix, package = "listener.name.oauth.oauthbearer", "org.apache.kafka.common.security.oauthbearer"
    return {
        f"{prefix}.sasl.jaas.config": f"{package}.OAuthBearerLoginModule required;",
        f"{prefix}.sasl.server.callback.handler.class": f"{package}.OAuthBearerValidatorCallbackHandler",
        f"{prefix}.sasl.oauthbearer.jwks.endpoint.url": jwks.as_uri(),
        f"{prefix}.sasl.oauthbearer.expected.audience": AUDIENCE,
        f"{prefix}.sasl.oauthbearer.expected.issuer": ISSUER,
        f"{prefix}.sasl.oauthbearer.clock.skew.seconds": "0",
        # A connection lives as long as its token, and at most this long.
        f"{prefix}.connections.max.reauth.ms": "3600000",
    }
