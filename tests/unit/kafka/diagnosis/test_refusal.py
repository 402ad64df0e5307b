"""What is wrong with a connection gets a word and a remedy. Real brokers: tests/integration."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl

import pytest
from aiokafka import errors as kafka_errors

from connector.kafka.diagnosis.refusal import CREDENTIALS, Attempt, CannotConnect, diagnose, no_tls
from connector.kafka.internals import Stage, TokenRefused
from connector.kafka.options import NoToken
from connector.kafka.security import Mechanism, Sasl, Security, SecurityProtocol

SECRET = "what-nobody-may-see"


def attempt(
    stage: Stage = "greet",
    protocol: SecurityProtocol = "PLAINTEXT",
    mechanism: Mechanism = "SCRAM-SHA-512",
    offered: tuple[str, ...] = (),
) -> Attempt:
    sasl = Sasl(mechanism=mechanism, username="alice", password=SECRET)
    security = Security(protocol=protocol, sasl=sasl if protocol.startswith("SASL") else None)
    return Attempt(stage=stage, security=security, offered=offered)


def ended(expected: int) -> kafka_errors.KafkaConnectionError:
    """As aiokafka tells that the peer ended the connection within so many bytes."""
    error = kafka_errors.KafkaConnectionError("Connection at kafka:9092 closed")
    error.__cause__ = asyncio.IncompleteReadError(b"", expected)
    return error


def number(four: bytes) -> int:
    """The length that four bytes of another protocol look like."""
    return int.from_bytes(four, "big")


@pytest.mark.parametrize(
    ("error", "tried", "reason", "says"),
    [
        (socket.gaierror(-2, "x"), attempt("connect"), "unresolved", "DNS"),
        (ConnectionRefusedError(), attempt("connect"), "refused", "nobody listens"),
        (TimeoutError(), attempt("connect"), "timeout", "firewalls"),
        (TimeoutError(), attempt("greet"), "timeout", "connected, but nothing answers"),
        (ended(4), attempt("greet"), "closed", "kafka.security.protocol"),
        (ended(4), attempt("authenticate", "SASL_SSL"), "closed", "broker's log"),
        (ended(4), attempt("ask", "SASL_SSL"), "closed", "broker's log"),
        (ended(4), attempt("ask"), "wants_sasl", "SASL_PLAINTEXT"),
        (ended(4), attempt("ask", "SSL"), "wants_sasl", "SASL_SSL"),
        (ended(number(b"\x15\x03\x03\x00")), attempt(), "wants_tls", "protocol: SSL"),
        (ended(number(b"\x15\x03\x01\x00")), attempt("greet", "SASL_PLAINTEXT"), "wants_tls", "SASL_SSL"),
        (ended(number(b"HTTP")), attempt(), "not_kafka", "check the port"),
        (ended(number(b"SSH-")), attempt(), "not_kafka", "check the port"),
        (ended(-1), attempt(), "closed", "check the port"),
        (ConnectionResetError(), attempt("connect", "SSL"), "closed", "check the port"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), attempt("connect"), "unreachable", "No route"),
        (OSError(), attempt("connect"), "unreachable", "OSError"),
        (ValueError("cannot decode"), attempt(), "not_kafka", "check the port"),
        (IndexError(), attempt(), "not_kafka", "check the port"),
        (kafka_errors.KafkaConnectionError("closed"), attempt(), "not_kafka", "check the port"),
        (
            kafka_errors.SaslAuthenticationFailed(SECRET),
            attempt("authenticate", "SASL_SSL"),
            "credentials",
            "user alice with this password (SCRAM-SHA-512)",
        ),
        (
            kafka_errors.SaslAuthenticationFailed(SECRET),
            attempt("authenticate", "SASL_SSL", "OAUTHBEARER"),
            "token",
            "audience",
        ),
        (TokenRefused(), attempt("authenticate", "SASL_SSL", "OAUTHBEARER"), "token", "audience"),
        (
            kafka_errors.UnsupportedSaslMechanismError(),
            attempt("authenticate", "SASL_SSL", offered=("PLAIN", "GSSAPI")),
            "mechanism",
            "but PLAIN, GSSAPI",
        ),
        (
            kafka_errors.UnsupportedSaslMechanismError(),
            attempt("authenticate", "SASL_SSL"),
            "mechanism",
            "none that is known",
        ),
        (
            kafka_errors.IllegalSaslStateError(),
            attempt("authenticate", "SASL_SSL"),
            "no_sasl",
            "protocol: SSL without sasl",
        ),
        (
            kafka_errors.IllegalSaslStateError(),
            attempt("authenticate", "SASL_PLAINTEXT"),
            "no_sasl",
            "protocol: PLAINTEXT without sasl",
        ),
        (
            NoToken("no token for kafka: HTTP 503"),
            attempt("authenticate", "SASL_SSL"),
            "no_token",
            "HTTP 503",
        ),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] x"), attempt("connect", "SSL"), "tls", "TLS"),
    ],
)
def test_each_has_a_word_and_says_what_to_do(
    error: Exception, tried: Attempt, reason: str, says: str
) -> None:
    found, what = diagnose(error, tried)
    assert (found, says in what) == (reason, True), what
    assert SECRET not in what


def test_a_listener_without_tls_keeps_its_sasl() -> None:
    assert "protocol: PLAINTEXT" in no_tls(Security(protocol="SSL"))[1]
    assert "protocol: SASL_PLAINTEXT" in no_tls(attempt("connect", "SASL_SSL").security)[1]


def test_only_who_we_say_we_are_is_about_credentials() -> None:
    assert CannotConnect("kafka:9092", "credentials", "x").is_about_credentials
    assert not CannotConnect("kafka:9092", "refused", "x").is_about_credentials
    assert {"client_certificate", "wants_sasl", "credentials", "token"} == CREDENTIALS
