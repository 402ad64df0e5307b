"""Placeholders in a document's texts, which nobody fills in."""

from __future__ import annotations

import pytest

from connector.records.unfilled import unfilled


@pytest.mark.parametrize(
    "literal",
    [
        "${env:WALLET}",
        "${WALLET}",
        "${file:/run/wallet}",
        "Bearer ${TOKEN}",
        "{{wallet}}",
        "{{ .Values.wallet }}",
        "{% wallet %}",
        "<%= wallet %>",
        "#{wallet}",
        "{wallet}",
        "{0}",
        "%s",
        "%(wallet)s",
        "%WALLET%",
        "$(WALLET)",
        "$wallet",
        "@WALLET@",
        "[ADDRESS]",
        "<ADDRESS>",
        "<your wallet>",
        "YOUR_WALLET",
        "your-token-address",
        "0xYourAddressHere1",
        "WALLET_ADDRESS",
        "token mint address",
        "ADD CREATOR ADDRESS HERE",
        "CHANGEME",
        "TODO",
        "0x...",
        "xxxx",
    ],
)
def test_a_placeholder_left_in_a_text_is_told_with_its_place(literal: str) -> None:
    (found,) = unfilled(f'subscription {{\n  a(where: {{x: {{is: "{literal}"}}}}) {{ b }}\n}}')
    assert (found.line, found.column) == (2, 21)
    assert "looks like a placeholder" in found.message
    assert found.remedy


@pytest.mark.parametrize(
    "literal",
    [
        "0x55d398326f99059ff775485246999027b3197955",
        "",
        "Transfer",
        "walletAddress",
        "token_address",
        "%pump",
        "a < b > c",
        "{}",
        "[]",
        "USD",
        "bid:solana",
        "2024-01-01T00:00:00Z",
        "$5",
        "Your",
        "somewhere",
        "[a-z]+",
        "<=",
    ],
)
def test_other_texts_are_left_alone(literal: str) -> None:
    assert not unfilled(f'subscription {{ a(x: "{literal}") {{ b }} }}')


def test_comments_and_formulas_are_left_alone() -> None:
    assert not unfilled('# "{{wallet}}"\nsubscription { a { b(expression: "$x") } }')


def test_a_block_and_a_default_are_texts_too() -> None:
    text = 'subscription ($x: String = "<X>") {\n  a(x: $x, y: """\n  {{y}}\n  """) { b }\n}'
    assert [(found.line, found.message.split('"')[1]) for found in unfilled(text)] == [
        (1, "<X>"),
        (2, "{{y}}"),
    ]
