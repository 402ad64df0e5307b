"""What shows a secret to others, or lets them change one, is warned of."""

from __future__ import annotations

import pytest

from tests.unit.config.conftest import GENERIC, Load, Write

AFAR = GENERIC.replace("ws://127.0.0.1:1/", "{}://shop.example/")
TOKEN = "token: ${env:TOKEN}\n"
OAUTH = "oauth: {{client_id: me, client_secret: '${{env:TOKEN}}', token_url: '{}'}}\n"
SASL = """\
kafka:
  bootstrap_servers: kafka:9092
  security: {{protocol: {}, sasl: {{mechanism: {}, username: me, password: '${{env:TOKEN}}'}}}}
"""
BROKERS = "kafka:\n  bootstrap_servers: localhost:9092\n"


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        (AFAR.format("ws") + TOKEN, ["endpoint.url is not encrypted"]),
        (AFAR.format("WS") + TOKEN, ["endpoint.url is not encrypted"]),
        (AFAR.format("wss") + TOKEN, []),
        (AFAR.format("ws"), []),
        (GENERIC + TOKEN, []),
        (GENERIC + OAUTH.format("http://login.example/token"), ["oauth.token_url is not encrypted"]),
        (GENERIC + OAUTH.format("https://login.example/token"), []),
        (GENERIC + OAUTH.format("http://127.0.0.1:1/token"), []),
        (GENERIC + OAUTH.format("http://localhost:1/token"), []),
        (
            GENERIC.replace(BROKERS, SASL.format("SASL_PLAINTEXT", "PLAIN")),
            ["kafka.security.protocol sends the password of PLAIN unencrypted"],
        ),
        (GENERIC.replace(BROKERS, SASL.format("sasl_plaintext", "plain")), ["kafka.security.protocol sends"]),
        (GENERIC.replace(BROKERS, SASL.format("SASL_SSL", "PLAIN")), []),
        (GENERIC.replace(BROKERS, SASL.format("SASL_PLAINTEXT", "SCRAM-SHA-512")), []),
    ],
)
def test_what_is_sent_unencrypted_is_warned_of(load: Load, text: str, warned: list[str]) -> None:
    warnings = load(text, env={"TOKEN": "a-secret-token"}).warnings

    assert len(warnings) == len(warned)
    for warning, begins in zip(warnings, warned, strict=True):
        assert begins in warning


@pytest.mark.parametrize(("mode", "count"), [(0o600, 0), (0o644, 0), (0o664, 0), (0o666, 1), (0o602, 1)])
def test_a_token_file_that_everyone_may_write_is_warned_of(
    write: Write, load: Load, mode: int, count: int
) -> None:
    files = {"token": "a-secret-token"}
    path = write(GENERIC + "token_file: token\n", files=files)
    (path.parent / "token").chmod(mode)

    from connector.config import read_config

    warnings = read_config(path, env={}).warnings
    assert len(warnings) == count
    assert all("token_file names a file that everyone" in warning for warning in warnings)


@pytest.mark.parametrize(("mode", "count"), [(0o600, 0), (0o664, 0), (0o666, 1)])
def test_a_file_of_a_placeholder_that_everyone_may_write_is_warned_of(
    write: Write, mode: int, count: int
) -> None:
    path = write(GENERIC + "token: ${file:sec.txt}\n", files={"sec.txt": "a-secret-token"})
    (path.parent / "sec.txt").chmod(mode)

    from connector.config import read_config

    warnings = read_config(path, env={}).warnings
    assert [("token names a file that everyone" in warning) for warning in warnings] == [True] * count


@pytest.mark.parametrize(
    ("url", "count"),
    [
        ("ws://shop.example/?token=${env:TOKEN}", 1),
        ("ws://shop.example/?accessToken=a-secret", 1),
        ("ws://shop.example/?network=eth", 0),
        ("ws://127.0.0.1:1/?token=${env:TOKEN}", 0),
        ("wss://shop.example/?token=${env:TOKEN}", 0),
    ],
)
def test_a_token_in_an_unencrypted_address_is_warned_of(load: Load, url: str, count: int) -> None:
    text = GENERIC.replace("ws://127.0.0.1:1/", url)
    warnings = load(text, env={"TOKEN": "a-secret-token"}).warnings
    assert [("endpoint.url is not encrypted" in warning) for warning in warnings] == [True] * count
    assert "a-secret" not in str(warnings)


@pytest.mark.parametrize(
    ("proxy", "count"),
    [
        ("http://me:a-password@proxy.example:1", 1),
        ("http://${env:TOKEN}@proxy.example:1", 1),
        ("socks5://me:a-password@proxy.example:1", 1),
        ("http://me:a-password@127.0.0.1:1", 0),
        ("http://proxy.example:1", 0),
        ("none", 0),
    ],
)
def test_a_password_sent_in_the_open_to_a_proxy_is_warned_of(load: Load, proxy: str, count: int) -> None:
    oauth = OAUTH.format("https://login.example/token").replace("oauth: {", f"oauth: {{proxy: '{proxy}', ")
    warnings = load(GENERIC + oauth, env={"TOKEN": "a-secret-token:b-secret"}).warnings
    found = [warning for warning in warnings if "oauth.proxy sends user and password unencrypted" in warning]
    assert len(found) == count
    assert "a-password" not in str(warnings)


@pytest.mark.parametrize("blank", ['"   "', "${env:BLANK}"])
def test_a_token_of_blanks_is_refused(load: Load, blank: str) -> None:
    from connector.errors import ConfigError

    with pytest.raises(ConfigError, match="token"):
        load(GENERIC + f"token: {blank}\n", env={"BLANK": "   "})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
@pytest.mark.parametrize("source", ["${env:SECRET}", "${file:secret}"])
def test_a_line_break_at_the_end_of_a_secret_is_no_part_of_it(load: Load, source: str, end: str) -> None:
    secret = f"a-secret{end}"
    oauth = OAUTH.format("https://login.example/token").replace("${env:TOKEN}", source)
    config = load(GENERIC + oauth, env={"SECRET": secret}, files={"secret": secret}).config

    assert config.oauth is not None
    assert config.oauth.client_secret.reveal() == "a-secret"
