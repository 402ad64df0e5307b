"""
Why a broker cannot be used, by name.

::

    unresolved          the host name means nothing
    refused             nobody listens
    timeout             no answer in time
    closed              the connection was closed without a word
    not_kafka           what answers is no broker
    wants_tls           the listener speaks TLS, we do not
    no_tls              we speak TLS, the listener does not
    untrusted           the broker's certificate is not to be trusted
    hostname            the broker's certificate is for another host
    client_certificate  the broker wants a certificate of ours, or does not take it
    tls                 TLS failed for another reason
    wants_sasl          the listener wants SASL, we do not offer it
    no_sasl             we offer SASL, the listener does not want it
    mechanism           the listener does not offer our SASL mechanism
    credentials         user name or password are wrong
    token               the broker does not accept our token
    no_token            there is no token to give
    file                a file with certificates cannot be used
    unreachable         the system says why
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass

from aiokafka import errors as kafka_errors

from connector.kafka.errors import BrokerUnreachable
from connector.kafka.internals import Stage, TokenRefused
from connector.kafka.options import NoToken
from connector.kafka.security import Security
from connector.tls import find_tls_error, tls_reason

CREDENTIALS = frozenset({"client_certificate", "wants_sasl", "credentials", "token"})
"""Reasons that lie in who we say we are."""

CLOSED = "closed the connection: the broker's log may say why"

_HOSTNAME = frozenset({62, 63, 64})  # X509_V_ERR_HOSTNAME_MISMATCH and its neighbours for e-mail and address
_ABOUT_US = ("CERT", "UNKNOWN_CA", "ACCESS_DENIED")
_TLS_ALERT = b"\x15\x03"  # a record of TLS that holds an alert: RFC 8446 §5.1

_SECURITY = "kafka.security"


class CannotConnect(BrokerUnreachable):
    """``address`` (``host:port``) cannot be used; ``reason`` is one of this module's words."""

    def __init__(self, address: str, reason: str, what: str) -> None:
        super().__init__(f"{address}: {what}")
        self.address = address
        self.reason = reason
        self.what = what

    @property
    def is_about_credentials(self) -> bool:
        """Whether it lies in who we say we are."""
        return self.reason in CREDENTIALS


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """What was tried: how far it came, how, and which SASL mechanisms were offered."""

    stage: Stage
    security: Security
    offered: tuple[str, ...] = ()


def diagnose(error: BaseException, attempt: Attempt) -> tuple[str, str]:
    """Return the reason, and in a sentence what was seen and what to do; never what the peer said."""
    tls = find_tls_error(error)
    if isinstance(error, NoToken):
        return "no_token", str(error)
    if isinstance(error, TokenRefused | kafka_errors.KafkaError) and tls is None:
        found = _of_sasl(error, attempt)
        if found is not None:
            return found
    if tls is not None:
        return _of_tls(tls, attempt)
    cause = error.__cause__ if isinstance(error, kafka_errors.KafkaConnectionError) else error
    return _of_socket(cause or error, attempt)


def no_tls(security: Security) -> tuple[str, str]:
    """Return the reason of a listener that turned out to speak without TLS."""
    other = "SASL_PLAINTEXT" if security.uses_sasl else "PLAINTEXT"
    return "no_tls", (
        f"does not speak TLS on this listener: write {_SECURITY}.protocol: {other}, or choose another one"
    )


def _of_sasl(error: BaseException, attempt: Attempt) -> tuple[str, str] | None:
    sasl = attempt.security.sasl
    mechanism = sasl.mechanism if sasl else "SASL"
    if isinstance(error, TokenRefused):
        return "token", (
            "does not accept the token (OAUTHBEARER): check what the broker expects of issuer, audience and "
            f"scope, and {_SECURITY}.oauth"
        )
    if isinstance(error, kafka_errors.SaslAuthenticationFailed):
        if mechanism == "OAUTHBEARER":
            return _of_sasl(TokenRefused(), attempt)
        user = sasl.username if sasl else None
        return "credentials", (
            f"does not accept user {user} with this password ({mechanism}): correct {_SECURITY}.sasl"
        )
    if isinstance(error, kafka_errors.UnsupportedSaslMechanismError):
        offered = ", ".join(attempt.offered) or "none that is known"
        return "mechanism", (
            f"does not offer {mechanism} on this listener, but {offered}: "
            f"correct {_SECURITY}.sasl.mechanism, or choose another listener"
        )
    if isinstance(error, kafka_errors.IllegalSaslStateError):
        other = "SSL" if attempt.security.uses_tls else "PLAINTEXT"
        return "no_sasl", (
            f"does not want SASL on this listener: write {_SECURITY}.protocol: {other} without sasl, "
            "or choose another listener"
        )
    return None


def _of_tls(error: ssl.SSLError, attempt: Attempt) -> tuple[str, str]:
    said = tls_reason(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _HOSTNAME:
            return "hostname", (
                f"{said}: connect to a name that is in the broker's certificate, or set "
                f"{_SECURITY}.tls.check_hostname to false"
            )
        return "untrusted", f"{said}: give the authority of the broker as {_SECURITY}.tls.ca_file"
    name = getattr(error, "reason", None) or ""  # OpenSSL's own, which a made-up one lacks
    if "ALERT" in name and any(part in name for part in _ABOUT_US):
        if attempt.security.tls.certificate_file is None:
            return "client_certificate", (
                f"wants a client certificate: give it as {_SECURITY}.tls.certificate_file and key_file"
            )
        return "client_certificate", f"{said}: give one that it trusts as {_SECURITY}.tls.certificate_file"
    return "tls", said


def _of_socket(error: BaseException, attempt: Attempt) -> tuple[str, str]:
    if isinstance(error, socket.gaierror):
        return "unresolved", "the name cannot be resolved: check it, and the DNS of this machine"
    if isinstance(error, ConnectionRefusedError):
        return "refused", "nobody listens there: check host and port"
    if isinstance(error, TimeoutError):
        if attempt.stage == "connect":
            return "timeout", "no connection in time: check host and port, and firewalls"
        return "timeout", "connected, but nothing answers as a broker would: check the port"
    if isinstance(error, asyncio.IncompleteReadError):
        return _of_end(error, attempt)
    if isinstance(error, ConnectionError):
        return "closed", _closed(attempt)
    if isinstance(error, OSError):
        return "unreachable", f"cannot be reached: {error.strerror or type(error).__name__}"
    return "not_kafka", "what answers is not a broker of Kafka: check the port"


def _of_end(error: asyncio.IncompleteReadError, attempt: Attempt) -> tuple[str, str]:
    """The connection ended: within an answer whose length shows who speaks, or before any."""
    size = error.expected or 0
    if size > 4:
        if size.to_bytes(4, "big").startswith(_TLS_ALERT):
            other = "SASL_SSL" if attempt.security.uses_sasl else "SSL"
            return "wants_tls", f"speaks TLS on this listener: write {_SECURITY}.protocol: {other}"
        return "not_kafka", "what answers is not a broker of Kafka: check the port"
    if attempt.stage == "ask" and not attempt.security.uses_sasl:
        other = "SASL_SSL" if attempt.security.uses_tls else "SASL_PLAINTEXT"
        return "wants_sasl", (
            f"wants SASL on this listener: write {_SECURITY}.protocol: {other}, and {_SECURITY}.sasl"
        )
    return "closed", _closed(attempt)


def _closed(attempt: Attempt) -> str:
    if attempt.stage in ("authenticate", "ask"):
        return CLOSED
    return f"closed the connection without an answer: check the port, and {_SECURITY}.protocol"
