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
        "[wallet]",
        "[REDACTED]",
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
        "0x<ADDRESS>",
        "address: <ADDRESS>",
        "prefix-<X>",
        "Bearer <TOKEN>",
        "0x<your-address>",
        "<<<ADDRESS>>>",
        "[[wallet]]",
        "[[ WALLET ]]",
        "<<wallet>>",
        "«wallet»",
        "\u2039wallet\u203a",
        "{ wallet }",
        "0x{wallet}",
        "prefix-{WALLET}",
        "__WALLET__",
        "__wallet_address__",
        "@wallet@",
        "@@wallet@@",
        "%{wallet}",
        "$env:WALLET",
        "$Env:WALLET",
        "$env.WALLET",
        "0x1234...abcd",
        "0x1234…abcd",
        "0x12..",
        "So11...112",
        "0xYOURADDRESS",
        "0xyouraddress",
        "YourAddress",
        "0xADDRESS",
        "ENTER_TOKEN",
        "ENTER YOUR TOKEN",
        "INSERT_ADDRESS",
        "PROVIDE_ADDRESS",
        "EXAMPLE_ADDRESS",
        "REPLACE_WITH_ADDRESS",
        "replaceWithAddress",
        "REPLACE_THIS",
        "SET_ME",
        "set-me",
        "SETME",
        "FILL_ME_IN",
        "TBD",
        "tbd",
        "TODO: address",
        "???",
        "***",
        "#WALLET#",
        "((wallet))",
        "&lt;ADDRESS&gt;",
        "<?= $wallet ?>",
        "%TOKEN_ADDRESS%",
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
        "%LIKE%",
        "%BTC%",
        "%FOO_BAR%",
        "[WARN]",
        "[INFO]",
        "[error]",
        "[A-Z]",
        "[abc]",
        "<b>",
        "$BTC",
        "IN_PROGRESS",
        "SET",
        "SET_TOKEN",
        "ADD_TOKEN",
        "ENTER_POSITION",
        "REPLACE_ORDER",
        "__typename",
        "user@example.com",
        "@alice@mastodon.social",
        "Loading...",
        "and so on...",
        "wait...what",
        "1...5",
        "Map<String, Int>",
        "Coin<0x2::sui::SUI>",
        "Option<T>",
        "<p>text</p>",
        "Alice <alice@x.org>",
        "/users/{id}",
        "a{2}",
        "«bonjour»",
        "TOKEN_TRANSFER",
        "EnterMarkets",
        "setAddress",
        "NAME_CHANGED",
        "yours",
        "0x2::coin::Coin",
        "?",
        "(wallet)",
    ],
)
def test_other_texts_are_left_alone(literal: str) -> None:
    assert not unfilled(f'subscription {{ a(x: "{literal}") {{ b }} }}')


def test_comments_and_formulas_are_left_alone() -> None:
    assert not unfilled('# "{{wallet}}"\nsubscription { a { b(expression: "$x") } }')


@pytest.mark.parametrize("name", ["like", "_ilike", "notLike", "nlike", "likeCaseInsensitive"])
def test_signs_around_a_filter_of_sqls_kind_are_its_own(name: str) -> None:
    assert not unfilled(f'subscription {{ a(where: {{x: {{{name}: "%TOKEN%"}}}}) {{ b }} }}')
    assert unfilled(f'subscription {{ a(where: {{x: {{{name}: "%{{TOKEN}}%"}}}}) {{ b }} }}')


def test_a_block_and_a_default_are_texts_too() -> None:
    text = 'subscription ($x: String = "<X>") {\n  a(x: $x, y: """\n  {{y}}\n  """) { b }\n}'
    assert [(found.line, found.message.split('"')[1]) for found in unfilled(text)] == [
        (1, "<X>"),
        (2, "{{y}}"),
    ]
