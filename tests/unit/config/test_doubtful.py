"""Credentials that hold more than what they are, or something else, are warned of; none is quoted."""

from __future__ import annotations

import pytest

from tests.unit.config.conftest import GENERIC, Load, Outlined, Refused

OAUTH = GENERIC + (
    "oauth: {client_id: '${env:ID}', client_secret: '${env:SECRET}', token_url: 'http://127.0.0.1:1/'}\n"
)
TOKEN = GENERIC + "token: ${env:TOKEN}\n"
SASL = GENERIC.replace(
    "  bootstrap_servers: localhost:9092\n",
    "  bootstrap_servers: localhost:9092\n  security:\n    protocol: SASL_SSL\n"
    "    sasl: {mechanism: PLAIN, username: '${env:ID}', password: '${env:SECRET}'}\n",
)
PLAIN = "hS8-kQ2.vX7_pL4"


@pytest.mark.parametrize("name", ["ID", "SECRET"])
@pytest.mark.parametrize("text", [OAUTH, SASL])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (f'"{PLAIN}"', "stands in quotes"),
        (f"'{PLAIN}'", "stands in quotes"),
        (f"\u201c{PLAIN}\u201d", "stands in quotes"),
        (f" {PLAIN}", "white space"),
        (f"{PLAIN} ", "white space"),
        (f"{PLAIN}\u00a0", "white space"),
        (f"\ufeff{PLAIN}", "nobody sees"),
        (f"\u200b{PLAIN}", "nobody sees"),
        ("$SECRET", "placeholder"),
        ("$(SECRET)", "placeholder"),
        ("%SECRET%", "placeholder"),
        ("{{ .Values.secret }}", "placeholder"),
        ("<your-client-secret>", "placeholder"),
        ("YOUR_CLIENT_SECRET", "placeholder"),
        ("changeme", "placeholder"),
        (f'{{"client_secret":"{PLAIN}"}}', "is JSON"),
    ],
)
def test_a_credential_that_is_more_than_that_is_warned_of(
    load: Load, text: str, name: str, value: str, said: str
) -> None:
    warnings = load(text, env={"ID": "a-client", "SECRET": PLAIN, name: value}).warnings
    assert len(warnings) == 1
    assert said in warnings[0]
    assert value not in warnings[0]
    assert PLAIN not in warnings[0]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (f"Bearer {PLAIN}", "scheme"),
        (f"bearer {PLAIN}", "scheme"),
        (f"Authorization: Bearer {PLAIN}", "a name or an address"),
        (f"TOKEN={PLAIN}", "a name or an address"),
        (f"export TOKEN={PLAIN}", "a name or an address"),
        (f"?token={PLAIN}", "a name or an address"),
        (f"wss://x/graphql?token={PLAIN}", "a name or an address"),
        (f'{{"access_token":"{PLAIN}"}}', "is JSON"),
        (f'"{PLAIN}"', "quotes"),
        (f"{PLAIN} {PLAIN}", "a space"),
    ],
)
def test_so_is_a_token_and_that_of_a_file(load: Load, value: str, said: str) -> None:
    given = load(TOKEN, env={"TOKEN": value}).warnings
    read = load(GENERIC + "token_file: token\n", files={"token": value + "\n"}).warnings
    for (warning,), key in ((given, "token"), (read, "token_file")):
        assert f": {key} " in warning
        assert said in warning
        assert PLAIN not in warning


@pytest.mark.parametrize(
    "value",
    [PLAIN, f" {PLAIN}\n", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbg==", "a/b+c==", "$2b$12$abcdefghijk"],
)
def test_a_token_that_is_one_is_not(load: Load, value: str) -> None:
    assert not load(TOKEN, env={"TOKEN": value}).warnings


def test_a_scheme_may_stand_where_no_template_writes_it(load: Load) -> None:
    endpoint = "  credentials: {in: header, name: Authorization, template: '{token}'}\nkafka:"
    text = TOKEN.replace("kafka:", endpoint)
    assert not load(text, env={"TOKEN": f"Bearer {PLAIN}"}).warnings


@pytest.mark.parametrize("written", ["$SECRET", "{{ secret }}", "<secret>"])
def test_placeholders_of_others_are_warned_of_without_secrets_too(outlined: Outlined, written: str) -> None:
    (warning,) = outlined(OAUTH.replace("${env:SECRET}", written)).warnings
    assert "oauth.client_secret looks like a placeholder" in warning


@pytest.mark.parametrize("name", ["~/token", "$HOME/token", "file:///run/token"])
def test_a_path_that_only_a_shell_fills_is_told_so(refused: Refused, name: str) -> None:
    (problem,) = refused(GENERIC + f"token_file: {name}\n")
    assert "neither ~ nor variables" in problem.remedy
