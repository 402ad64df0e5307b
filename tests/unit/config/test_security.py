"""``kafka.security``: every protocol and mechanism, and what contradicts itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.wiring.kafka_access import kafka_settings
from tests.standins.certificates import PASSWORD, Authority, ClientFiles
from tests.unit.config.conftest import GENERIC, Load, Outlined, Read, Refused

SECRET = 'pa"ss=wörd'
USER = f"username: alice, password: '{SECRET}'"
OAUTH = "oauth: {token_url: 'https://idp.example/token', client_id: me, client_secret: mysecret}"


def with_security(keys: str) -> str:
    return GENERIC.replace("subscriptions:", f"  security: {{{keys}}}\nsubscriptions:", 1)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def pem(authority: Authority, tmp_path: Path) -> ClientFiles:
    """Files beside the configuration."""
    return authority.client(tmp_path)


def test_without_a_section_connections_are_plain(load: Load) -> None:
    security = kafka_settings(load().config, None).security
    assert (security.protocol, security.sasl, security.tls.files) == ("PLAINTEXT", None, ())
    assert not security.uses_tls
    assert not security.uses_sasl


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_a_user_and_a_password_reach_the_brokers_settings(read: Read, protocol: str, mechanism: str) -> None:
    config = read(with_security(f"protocol: {protocol}, sasl: {{mechanism: {mechanism}, {USER}}}"))
    security = kafka_settings(config, None).security
    assert security.protocol == protocol
    assert security.sasl is not None
    assert (security.sasl.mechanism, security.sasl.username) == (mechanism, "alice")
    assert security.sasl.password == SECRET


@pytest.mark.parametrize("word", ["sasl_ssl", "Sasl_Ssl"])
def test_kafkas_words_may_be_written_small(read: Read, word: str) -> None:
    config = read(with_security(f"protocol: {word}, sasl: {{mechanism: scram-sha-512, {USER}}}"))
    security = config.kafka.security
    assert (security.protocol, security.sasl and security.sasl.mechanism) == ("SASL_SSL", "SCRAM-SHA-512")


def test_certificates_reach_the_brokers_settings(read: Read, pem: ClientFiles) -> None:
    keys = "ca_file: ca.pem, certificate_file: client.pem, key_file: locked.key, check_hostname: false"
    config = read(with_security(f"protocol: SSL, tls: {{{keys}, key_password: '{PASSWORD}'}}"))
    tls = kafka_settings(config, None).security.tls
    assert (tls.ca_file, tls.certificate_file, tls.key_file) == (pem.ca, pem.certificate, pem.encrypted_key)
    assert (tls.key_password, tls.check_hostname) == (PASSWORD, False)


def test_hosts_are_checked_unless_that_is_switched_off(read: Read, pem: ClientFiles) -> None:
    config = read(with_security("protocol: SSL, tls: {ca_file: ca.pem}"))
    assert kafka_settings(config, None).security.tls.check_hostname


class NoTokens:
    """Satisfies kafka's `TokenProvider`."""

    error = None

    async def token(self) -> str:
        raise AssertionError

    def rejected(self, token: str) -> None: ...

    def accepted(self, token: str) -> None: ...


def test_oauthbearer_has_a_token_endpoint_of_its_own(load: Load, pem: ClientFiles) -> None:
    oauth = OAUTH.replace("}", ", tls: {ca_file: ca.pem}, proxy: 'http://proxy.example:3128'}")
    loaded = load(with_security(f"protocol: SASL_SSL, sasl: {{mechanism: OAUTHBEARER}}, {oauth}"))
    tokens = NoTokens()
    sasl = kafka_settings(loaded.config, tokens).security.sasl
    assert sasl is not None
    assert (sasl.mechanism, sasl.tokens, sasl.username) == ("OAUTHBEARER", tokens, None)
    assert loaded.peers.kafka_token.tls.ca_file == pem.ca
    assert str(loaded.peers.kafka_token.route.proxy) == "http://proxy.example:3128"
    assert loaded.peers.endpoint.route.proxy is None


@pytest.mark.parametrize(
    ("keys", "path", "message", "remedy"),
    [
        ("protocol: TLS", "protocol", "must be one of: PLAINTEXT", "write"),
        (
            f"protocol: SASL_SLL, sasl: {{mechanism: PLAIN, {USER}}}",
            "protocol",
            "must be one of",
            "did you mean 'SASL_SSL'",
        ),
        ("protocol: true", "protocol", "must be one of", "write"),
        ("tls: {check_hostname: false}", "tls", "no use with protocol PLAINTEXT", "protocol: SSL"),
        (
            f"protocol: SASL_PLAINTEXT, tls: {{}}, sasl: {{mechanism: PLAIN, {USER}}}",
            "tls",
            "no use with protocol SASL_PLAINTEXT",
            "protocol: SASL_SSL",
        ),
        (f"sasl: {{mechanism: PLAIN, {USER}}}", "sasl", "no use with protocol PLAINTEXT", "SASL_PLAINTEXT"),
        (
            f"protocol: SSL, sasl: {{mechanism: PLAIN, {USER}}}",
            "sasl",
            "no use with protocol SSL",
            "SASL_SSL",
        ),
        (f"protocol: SSL, {OAUTH}", "oauth", "no use with protocol SSL", "SASL_SSL"),
        ("protocol: SASL_SSL", "sasl", "is missing, and protocol SASL_SSL needs it", "mechanism"),
        (f"protocol: SASL_SSL, sasl: {{{USER}}}", "sasl.mechanism", "is missing", "add it"),
        (
            f"protocol: SASL_SSL, sasl: {{mechanism: GSSAPI, {USER}}}",
            "sasl.mechanism",
            "must be one of: PLAIN, SCRAM-SHA-256",
            "write one of them",
        ),
        (
            "protocol: SASL_SSL, sasl: {mechanism: PLAIN, password: secret}",
            "sasl.username",
            "is missing, and PLAIN needs it",
            "add it",
        ),
        (
            "protocol: SASL_SSL, sasl: {mechanism: scram-sha-256, username: alice}",
            "sasl.password",
            "is missing, and SCRAM-SHA-256 needs it",
            "add it",
        ),
        (
            f"protocol: SASL_SSL, sasl: {{mechanism: PLAIN, {USER}}}, {OAUTH}",
            "oauth",
            "no use with PLAIN",
            "OAUTHBEARER",
        ),
        (
            "protocol: SASL_SSL, sasl: {mechanism: OAUTHBEARER}",
            "oauth",
            "is missing, and OAUTHBEARER needs it",
            "token_url",
        ),
        (
            f"protocol: SASL_SSL, sasl: {{mechanism: OAUTHBEARER, username: alice}}, {OAUTH}",
            "sasl.username",
            "no use with OAUTHBEARER",
            "take it out",
        ),
        (
            f"protocol: SASL_SSL, sasl: {{mechanism: OAUTHBEARER, password: secret}}, {OAUTH}",
            "sasl.password",
            "no use with OAUTHBEARER",
            "take it out",
        ),
        (
            "protocol: SASL_SSL, sasl: {mechanism: OAUTHBEARER}, "
            + OAUTH.replace("https", "http").replace("}", ", tls: {ca_file: ca.pem}}"),
            "oauth.tls",
            "token_url is not encrypted",
            "https://",
        ),
        ("protocol: SSL, tls: {key_file: client.key}", "tls.key_file", "without certificate_file", "add"),
        ("protocol: SSL, tls: {ca_file: none.pem}", "tls.ca_file", "none.pem is not there", "check the path"),
        (
            "protocol: SSL, tls: {certificate_file: client.pem}",
            "tls.certificate_file",
            "no private key",
            "key_file",
        ),
        ("protocol: SSL, tls: {keystore: x}", "tls.keystore", "is an unknown key", "key_password"),
        (
            "protocol: SASL_SSL, sasl: {mechanism: PLAIN, username: alice, password: 12345}",
            "sasl.password",
            "must be a string",
            "quote it",
        ),
        ("ssl", None, "", ""),
    ],
)
def test_what_contradicts_itself_is_refused_with_a_remedy(
    refused: Refused, pem: ClientFiles, keys: str, path: str | None, message: str, remedy: str
) -> None:
    problems = refused(with_security(keys))
    if path is None:  # no mapping at all
        assert [problem.path for problem in problems] == ["kafka.security.ssl"]
        return
    (problem,) = problems
    assert problem.path == f"kafka.security.{path}"
    assert message in problem.message
    assert remedy in problem.remedy
    assert SECRET not in str(problem)


def test_a_password_with_a_zero_byte_is_refused(refused: Refused) -> None:
    keys = "protocol: SASL_SSL, sasl: {mechanism: PLAIN, username: alice, password: '${file:pw}'}"
    (problem,) = refused(with_security(keys), files={"pw": "half\0rest"})
    assert (problem.path, "zero byte" in problem.message) == ("kafka.security.sasl.password", True)


def test_all_mistakes_are_told_at_once(refused: Refused) -> None:
    keys = "protocol: SASL_SSL, tls: {ca_file: none.pem, key_password: x}, sasl: {mechanism: PLAIN}, " + OAUTH
    assert [problem.path for problem in refused(with_security(keys))] == [
        f"kafka.security.{path}"
        for path in ("sasl.username", "sasl.password", "oauth", "tls.key_password", "tls.ca_file")
    ]


def test_without_secrets_what_depends_on_them_is_left_alone(outlined: Outlined) -> None:
    keys = (
        "protocol: '${env:PROTOCOL}', tls: {ca_file: /run/secrets/ca.pem, check_hostname: '${env:CHECK}'}, "
        "sasl: {mechanism: '${env:MECHANISM}', username: '${env:USER_NAME}', password: '${file:nowhere}'}"
    )
    outlined(with_security(keys))


@pytest.mark.parametrize(
    ("keys", "secrets"),
    [
        (f"protocol: SASL_SSL, sasl: {{mechanism: PLAIN, {USER}}}", (SECRET,)),
        (f"protocol: SASL_SSL, sasl: {{mechanism: OAUTHBEARER}}, {OAUTH}", ("mysecret",)),
        (
            "protocol: SASL_SSL, sasl: {mechanism: OAUTHBEARER}, "
            + OAUTH.replace("}", ", proxy: 'http://bob:proxypass@proxy.example:3128'}"),
            ("mysecret", "proxypass"),
        ),
        (
            "protocol: SSL, tls: {certificate_file: client.pem, key_file: locked.key, "
            f"key_password: '{PASSWORD}'}}",
            (PASSWORD,),
        ),
    ],
)
def test_no_secret_is_shown_and_the_redactor_learns_each(
    load: Load, pem: ClientFiles, keys: str, secrets: tuple[str, ...]
) -> None:
    loaded = load(with_security(keys))
    for shown in (
        repr(loaded) + repr(loaded.config),
        json.dumps(loaded.effective()),
        repr(kafka_settings(loaded.config, None)),
    ):
        assert not [secret for secret in secrets if secret in shown]
    assert set(secrets) <= set(loaded.secrets)
