"""Certificates are looked at before anything runs, and never shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.standins.certificates import PASSWORD, Authority, ClientFiles, encrypted
from tests.unit.config.conftest import GENERIC, Load, Outlined, Refused

WSS = GENERIC.replace("ws://127.0.0.1:1", "wss://upstream.example")
OAUTH = "oauth: {client_id: me, client_secret: mysecret, token_url: 'https://%s/token'%s}\n"


def with_tls(keys: str, text: str = WSS) -> str:
    return text.replace("kafka:", f"  tls: {{{keys}}}\nkafka:", 1)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def pem(authority: Authority, tmp_path: Path) -> ClientFiles:
    """Files beside the configuration."""
    return authority.client(tmp_path)


def test_files_are_found_beside_the_configuration(load: Load, pem: ClientFiles) -> None:
    loaded = load(with_tls("ca_file: ca.pem, certificate_file: client.pem, key_file: client.key"))
    tls = loaded.peers.endpoint.tls
    assert (tls.ca_file, tls.certificate_file, tls.key_file) == (pem.ca, pem.certificate, pem.key)


def test_without_a_section_the_system_is_trusted(load: Load) -> None:
    assert load(WSS).peers.endpoint.tls.files == ()


def test_every_file_at_fault_is_named_with_its_key(refused: Refused, pem: ClientFiles) -> None:
    pem.key.write_text("x")
    problems = refused(with_tls("ca_file: none.pem, certificate_file: client.pem, key_file: client.key"))
    assert [(problem.where, problem.path, problem.message) for problem in problems] == [
        ("shop.yaml:4", "endpoint.tls.ca_file", "none.pem is not there"),
        ("shop.yaml:4", "endpoint.tls.key_file", "client.key holds no private key"),
    ]


def test_a_wrong_password_is_a_problem_of_its_key(refused: Refused, pem: ClientFiles) -> None:
    keys = "certificate_file: client.pem, key_file: locked.key, key_password: 'wrong-passphrase'"
    (problem,) = refused(with_tls(keys))
    assert problem.path == "endpoint.tls.key_password"
    assert "wrong-passphrase" not in str(problem)


@pytest.mark.parametrize("value", [PASSWORD, "'${file:pass}'", "'${env:PASS}'"])
def test_the_password_is_never_shown_wherever_it_comes_from(load: Load, pem: ClientFiles, value: str) -> None:
    keys = f"certificate_file: client.pem, key_file: locked.key, key_password: {value}"
    loaded = load(with_tls(keys), files={"pass": f"{PASSWORD}\n"}, env={"PASS": PASSWORD})
    assert loaded.peers.endpoint.tls.key_password == PASSWORD
    assert PASSWORD in loaded.secrets
    shown = json.dumps(loaded.effective()) + repr(loaded) + repr(loaded.config) + repr(loaded.peers)
    assert PASSWORD not in shown
    assert '"key_password": "***"' in shown


def test_a_short_password_is_a_secret_too(load: Load, pem: ClientFiles) -> None:
    pem.encrypted_key.write_bytes(encrypted(pem.key.read_bytes(), "open"))
    loaded = load(with_tls("certificate_file: client.pem, key_file: locked.key, key_password: open"))
    assert loaded.secrets == ("open",)


@pytest.mark.parametrize("key", ["key_file: client.key", "key_password: secret-word"])
def test_a_key_without_a_certificate_is_told(refused: Refused, pem: ClientFiles, key: str) -> None:
    (problem,) = refused(with_tls(key))
    assert problem.path == f"endpoint.tls.{key.partition(':')[0]}"
    assert "without certificate_file" in problem.message


def test_an_unknown_key_is_refused(refused: Refused) -> None:
    (problem,) = refused(with_tls("ca: x"))
    assert (problem.path, problem.message) == ("endpoint.tls.ca", "is an unknown key")


@pytest.mark.parametrize(
    ("value", "said"), [("[]", "string"), ("1", "quote"), ("''", "empty"), ("{}", "string")]
)
def test_a_value_of_another_kind_is_told_once(refused: Refused, value: str, said: str) -> None:
    (problem,) = refused(with_tls(f"ca_file: {value}"))
    assert problem.path == "endpoint.tls.ca_file"
    assert said in problem.message + problem.remedy


def test_certificates_for_a_socket_in_the_clear_are_a_mistake(refused: Refused, pem: ClientFiles) -> None:
    (problem,) = refused(with_tls("ca_file: ca.pem", GENERIC))
    assert (problem.path, problem.remedy) == ("endpoint.tls", "write wss:// there, or take tls out")


def test_certificates_for_a_token_request_in_the_clear_are_a_mistake(
    refused: Refused, pem: ClientFiles
) -> None:
    oauth = (OAUTH % ("x", ", tls: {ca_file: ca.pem}")).replace("https", "http")
    (problem,) = refused(WSS + oauth)
    assert (problem.path, problem.remedy) == ("oauth.tls", "write https:// there, or take tls out")


# Without the secrets


def test_no_env_misses_no_file(outlined: Outlined) -> None:
    keys = "ca_file: /run/tls/ca.pem, certificate_file: /run/tls/c.pem, key_file: /run/tls/k.pem"
    outlined(with_tls(keys))


def test_no_env_checks_the_files_that_are_there(refused: Refused, pem: ClientFiles) -> None:
    pem.ca.write_text("x")
    (problem,) = refused(with_tls("ca_file: ca.pem, certificate_file: '${env:C}'"), resolve=False)
    assert problem.path == "endpoint.tls.ca_file"


@pytest.mark.parametrize(
    "keys",
    [
        "certificate_file: client.pem, key_file: locked.key, key_password: '${env:P}'",
        "certificate_file: client.pem, key_file: '${env:K}'",
        "certificate_file: '${env:C}', key_file: client.key",
        "ca_file: '${env:CA}'",
    ],
)
def test_no_env_leaves_what_is_unresolved(outlined: Outlined, pem: ClientFiles, keys: str) -> None:
    outlined(with_tls(keys))


# The token endpoint

PAIR = "ca_file: ca.pem, certificate_file: client.pem, key_file: client.key"


def test_the_token_endpoint_takes_over_the_trust(load: Load, pem: ClientFiles) -> None:
    tls = load(with_tls(PAIR) + OAUTH % ("login.example", "")).peers.token.tls
    assert tls.ca_file == pem.ca


def test_the_certificate_is_not_shown_to_another_host(load: Load, pem: ClientFiles) -> None:
    tls = load(with_tls(PAIR) + OAUTH % ("login.example", "")).peers.token.tls
    assert (tls.certificate_file, tls.key_file) == (None, None)


def test_the_certificate_is_shown_to_the_same_host(load: Load, pem: ClientFiles) -> None:
    tls = load(with_tls(PAIR) + OAUTH % ("UPSTREAM.example:8443", "")).peers.token.tls
    assert (tls.certificate_file, tls.key_file) == (pem.certificate, pem.key)


def test_the_token_endpoints_own_section_is_taken_whole(load: Load, pem: ClientFiles) -> None:
    own = ", tls: {certificate_file: client.pem, key_file: client.key}"
    tls = load(with_tls("ca_file: ca.pem") + OAUTH % ("login.example", own)).peers.token.tls
    assert (tls.ca_file, tls.certificate_file) == (None, pem.certificate)


def test_an_empty_section_is_the_systems_trust(load: Load, pem: ClientFiles) -> None:
    tls = load(with_tls(PAIR) + OAUTH % ("upstream.example", ", tls: {}")).peers.token.tls
    assert tls.files == ()
