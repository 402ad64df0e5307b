"""Mistakes that are nearly right: what is said of them leads to what was meant."""

from __future__ import annotations

import pytest

from tests.unit.config.conftest import GENERIC, Refused

BROKERS = "localhost:9092"


@pytest.mark.parametrize("sign", ["\u00a0", "\u3000", "\u2003", "\u200b", "\ufeff"])
@pytest.mark.parametrize("written", ["name: shop", "\n  - name"])
def test_what_only_looks_like_a_space_is_named_by_its_line(refused: Refused, sign: str, written: str) -> None:
    line = GENERIC[: GENERIC.index(written)].count("\n") + written.count("\n") + 1
    (problem,) = refused(GENERIC.replace(written, written.replace(" ", sign), 1))
    assert f"characters in line {line} that only look like them" in problem.remedy


@pytest.mark.parametrize("written", ["\u00a0\u00a0url", "  url\u200b", "  url\u00a0"])
def test_a_key_with_what_nobody_sees_is_told_so(refused: Refused, written: str) -> None:
    found = refused(GENERIC.replace("  url", written))
    assert any("only look like them, or that nobody sees" in problem.remedy for problem in found)


@pytest.mark.parametrize(
    ("end", "sign"), [("---\n", "---"), ("---\n" + GENERIC, "---"), ("...\nreload: true\n", "...")]
)
def test_a_configuration_is_one_document(refused: Refused, end: str, sign: str) -> None:
    (problem,) = refused(GENERIC + end)
    assert (
        problem.remedy == f"a configuration is one document: take the line {sign} out, or all that follows it"
    )


@pytest.mark.parametrize("written", ["SSL_SASL", "tls", "kerberos"])
def test_no_choice_is_advised_that_is_nothing_like_what_was_written(refused: Refused, written: str) -> None:
    text = GENERIC.replace(BROKERS, f"{BROKERS}\n  security: {{protocol: {written}}}")
    (problem,) = refused(text)
    assert "PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL" in problem.message
    assert "'PLAINTEXT'" not in problem.remedy


@pytest.mark.parametrize("written", ["{{token}}", "<{token}>", "%{token}%"])
def test_signs_around_the_token_in_a_template_are_refused(refused: Refused, written: str) -> None:
    credentials = f"  credentials: {{in: header, name: Authorization, template: 'Bearer {written}'}}\nkafka:"
    found = refused(GENERIC.replace("kafka:", credentials) + "token: a-secret-token\n")
    assert any("{token}" in problem.remedy for problem in found)


@pytest.mark.parametrize("written", ["[a:9092, b:9092]", "\n    - a:9092\n    - b:9092"])
def test_a_list_of_brokers_is_to_be_one_text(refused: Refused, written: str) -> None:
    (problem,) = refused(GENERIC.replace(BROKERS, written))
    assert problem.remedy.endswith("a:9092,b:9092")


@pytest.mark.parametrize("scheme", ["kafka", "PLAINTEXT", "SASL_SSL"])
def test_a_broker_has_no_scheme(refused: Refused, scheme: str) -> None:
    (problem,) = refused(GENERIC.replace(BROKERS, f"{scheme}://a:9092"))
    assert "host:port alone" in problem.remedy


@pytest.mark.parametrize("endpoint", ["preset: bit-query", "wss://shop.example/graphql"])
def test_where_the_preset_is_wrong_nothing_is_said_of_rows(refused: Refused, endpoint: str) -> None:
    text = (
        GENERIC.replace("url: ws://127.0.0.1:1/graphql", endpoint)
        + "    key: [customer.id, nothing.at.all]\n"
    )
    assert not [problem for problem in refused(text) if ".key" in (problem.path or "")]
