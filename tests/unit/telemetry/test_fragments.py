"""Parts of secrets, in whatever disguise somebody repeats them."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import time
from collections.abc import Callable, Mapping
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.telemetry import Redactor, fragments
from connector.telemetry.forms import Form
from connector.telemetry.redaction import IN_PARTS
from connector.telemetry.unescaped import MOST_READ, unescaped

TOKEN = "ory_at_Zk81q-oW3xPd7LrTn5VbJ9cYsGh2MfKuEaQe64RwXi0tHvNzBmCjDySl"
PARTS = {
    "all but the end": TOKEN[:61],
    "all but the beginning": TOKEN[3:],
    "the middle": TOKEN[20:40],
    "twelve characters": TOKEN[30:42],
    "twelve with separators": TOKEN[:12],
}
DISGUISES: Mapping[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "with an ellipsis": lambda text: f"{text}…",
    "upper case": str.upper,
    "lower case": str.lower,
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "hex in pairs": lambda text: text.encode().hex(":"),
    "hex as numbers": lambda text: ", ".join(f"0x{byte:02x}" for byte in text.encode()),
    "decimal numbers": lambda text: str(list(text.encode())),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "percent, lower hex": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "percent, twice": lambda text: quote("".join(f"%{byte:02x}" for byte in text.encode())),
    "JSON escapes": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "JSON escapes in JSON": lambda text: json.dumps("".join(f"\\u{ord(letter):04X}" for letter in text)),
    "repr escapes": lambda text: "".join(f"\\x{ord(letter):02x}" for letter in text),
    "HTML, decimal": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "HTML, hex": lambda text: "".join(f"&#x{ord(letter):X};" for letter in text),
    "HTML in HTML": lambda text: html.escape("".join(f"&#x{ord(letter):x};" for letter in text)),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 of more": lambda text: base64.b64encode(f"id:{text}.".encode()).decode(),
    "base64 in lines": lambda text: "\n".join(split(base64.b64encode(text.encode()).decode(), 7)),
    "reversed": lambda text: text[::-1],
    "with spaces": " ".join,
    "in groups": lambda text: "-".join(split(text, 4)),
    "in lines": lambda text: "\n".join(split(text, 5)),
    "in lines of JSON": lambda text: json.dumps("\n".join(split(text, 5))),
    "a list": lambda text: json.dumps(split(text, 3)),
    "with dots between": "·".join,
    "with dots between, in JSON": lambda text: json.dumps("\u200b".join(text)),
    "with percent between": "%20".join,
    "every second in percent": lambda text: every(2, text, lambda code: f"%{code:02X}"),
    "every third in percent": lambda text: every(3, text, lambda code: f"%{code:02x}"),
    "every second in percent, twice": lambda text: every(2, text, lambda code: f"%25{code:02X}"),
    "every second in JSON's escapes": lambda text: every(2, text, lambda code: f"\\u{code:04x}"),
    "every third in JSON's escapes": lambda text: every(3, text, lambda code: f"\\u{code:04X}"),
    "every second in repr's escapes": lambda text: every(2, text, lambda code: f"\\x{code:02x}"),
    "every second in HTML": lambda text: every(2, text, lambda code: f"&#{code};"),
    "every third in HTML": lambda text: every(3, text, lambda code: f"&#{code};"),
    "every second in HTML, hex": lambda text: every(2, text, lambda code: f"&#x{code:X};"),
    "HTML with zeros": lambda text: every(1, text, lambda code: f"&#{code:04};"),
    "HTML, hex with zeros": lambda text: every(1, text, lambda code: f"&#x{code:04x};"),
    "braces": lambda text: every(1, text, lambda code: f"\\u{{{code:x}}}"),
    "long escapes": lambda text: every(1, text, lambda code: f"\\U{code:08x}"),
    "octal": lambda text: every(1, text, lambda code: f"\\{code:03o}"),
    "every second in octal": lambda text: every(2, text, lambda code: f"\\{code:03o}"),
    "reversed, in hex": lambda text: text[::-1].encode().hex(),
    "reversed, in percent": lambda text: every(1, text[::-1], lambda code: f"%{code:02x}"),
    "reversed, partly in percent": lambda text: every(2, text[::-1], lambda code: f"%{code:02x}"),
    "reversed, in base64": lambda text: base64.b64encode(text[::-1].encode()).decode(),
    "reversed, in decimal numbers": lambda text: str(list(text[::-1].encode())),
    "with <br> between": "<br>".join,
    "with <wbr/> between": "<wbr/>".join,
    "with <br /> here and there": lambda text: "<br />".join(split(text, 5)),
    "coloured": "\x1b[1;31m".join,
    "coloured, in JSON": "\\u001b[0m".join,
}


def split(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def every(step: int, text: str, escape: Callable[[int], str]) -> str:
    return "".join(escape(ord(letter)) if at % step == step - 1 else letter for at, letter in enumerate(text))


def letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())


@pytest.fixture
def redactor() -> Redactor:
    redactor = Redactor()
    redactor.add(TOKEN)
    return redactor


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_token_is_hidden_in_every_disguise(redactor: Redactor, part: str, disguise: str) -> None:
    written = DISGUISES[disguise](PARTS[part])
    line = f"¡¡ «{written}», !!"

    for said in (redactor.redact(line), redactor.hide_in(line.encode()).decode()):
        before, _, rest = said.partition("***")
        assert before.startswith("¡¡ «")
        assert rest.endswith("», !!")
        # Of base64 the characters that the neighbours have a share in may be left, and what is no secret.
        # A separator at the end of the part is none of its letters.
        said = said.replace("***%5f", "***")
        for between in ("\\u200b", "%20", "<br>", "<wbr/>", "<br />", "\x1b[1;31m", "\\u001b[0m"):
            said = said.replace(between, "")
        assert len(letters(said)) <= (9 if "base64" in disguise else 0)


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.integers(0, 51), st.integers(12, 64))
def test_a_part_is_hidden_whatever_stands_beside_it(beside: str, first: int, length: int) -> None:
    redactor = Redactor()
    redactor.add(TOKEN)
    part = TOKEN[first : first + length]

    assert part not in redactor.redact(f"{beside}{part}{beside}")
    assert part.encode() not in redactor.hide_in(f"{beside}{part}{beside}".encode())


@pytest.mark.parametrize("disguise", DISGUISES)
def test_in_a_line_of_json_a_hidden_part_leaves_json(redactor: Redactor, disguise: str) -> None:
    line = json.dumps({"error": DISGUISES[disguise](TOKEN[4:50]), "state": "live"})

    assert json.loads(redactor.redact(line))["state"] == "live"


@given(st.one_of(st.binary(), st.text("%\\&#;x01fu{}<br>amp[m\x1b").map(str.encode)))
def test_reading_escapes_leaves_every_byte_in_its_place(content: bytes) -> None:
    read = unescaped(content)
    assert read is None or len(read) == len(content)


def test_a_long_text_is_read_to_a_bound_and_searched_to_its_end(redactor: Redactor) -> None:
    content = (
        b"%41" * (MOST_READ // 2) + TOKEN.encode() + b" " + DISGUISES["percent"](TOKEN).encode() + b" end"
    )
    assert redactor.hide_in(content).endswith(b"*** *** end")


def test_both_ends_of_a_token_with_an_ellipsis_between_are_hidden(redactor: Redactor) -> None:
    assert redactor.redact(f"token {TOKEN[:30]}...{TOKEN[-20:]}") == "token ***...***"


def test_fewer_characters_than_a_run_stay_readable(redactor: Redactor) -> None:
    line = f"tokens begin with {TOKEN[:8]} and end with {TOKEN[-8:]}"

    assert redactor.redact(line) == line


@pytest.mark.parametrize("token", ["trade", "pool", "events"])
def test_a_short_token_hides_no_words_and_no_files(token: str) -> None:
    redactor = Redactor()
    redactor.add(token)
    line = f"/etc/{token}/{token}.graphql: {token}s of dex.{token} and {token}-feed_{token}, no.{token}.at"

    assert redactor.redact(line) == line
    assert redactor.redact(f'refused: "{token}" ({token}). ?x={token}&y, {token}\\n{token}%20{token}') == (
        'refused: "***" (***). ?x=***&y, ***\\n***%20***'
    )


@pytest.mark.parametrize(
    "line",
    [
        '{"Hash":"0x6b175474e89094c44da98b954eedeac495271d0f","Number":20312345,"at":"2024-01-01T00:00:00Z"}',
        "connector.task.subscription_runner: session opened subscription=dex-trades rows=1234567",
        "/etc/connector/documents/bsc-trades.graphql",
    ],
)
def test_what_is_no_secret_stays_readable(redactor: Redactor, line: str) -> None:
    redactor.add("correct-horse-battery")
    redactor.add("https://app.example.com")

    assert redactor.redact(line) == line
    assert redactor.redact("wss://app.example.com/graphql") == "wss://app.example.com/graphql"


def test_parts_of_what_was_configured_and_of_the_newest_tokens_are_known() -> None:
    redactor = Redactor()
    redactor.add(TOKEN)
    tokens = [f"{number:02}.{TOKEN[::2]}{number * 7919:012x}" for number in range(30)]
    for token in tokens:
        redactor.add(token, keep=False)
    for token in tokens[-IN_PARTS:]:
        assert redactor.redact(token[1:]) == "***"
    assert redactor.redact(TOKEN[:-1]) == "***"


def test_a_long_text_costs_no_more_for_many_secrets() -> None:
    text = json.dumps([{"hash": f"{number * 7919:064x}", "amount": str(number)} for number in range(4000)])

    def seconds(count: int) -> float:
        redactor = Redactor()
        for number in range(count):
            redactor.add(f"{number:03}{TOKEN[::-1]}{number:03}")
        redactor.redact(text)
        spent = []
        for _ in range(5):
            begun = time.thread_time()
            redactor.redact(text)
            spent.append(time.thread_time() - begun)
        return min(spent)

    assert seconds(20) < 10 * seconds(1) + 0.05


LONG_TOKEN = "".join(hashlib.sha512(b"%d" % number).hexdigest() for number in range(10))
MANY = 512 * 1024


@pytest.mark.parametrize("secret", [LONG_TOKEN, "q" * 1280], ids=["a token", "one letter"])
@pytest.mark.parametrize(
    "part",
    [
        lambda secret: secret[60:71] + "!",
        lambda secret: secret[60:71] + "Ω",
        lambda secret: secret[60:72] + "!",
        lambda secret: secret[:640] + "! ",
        lambda secret: secret[60:71].encode().hex() + "!!",
        lambda secret: secret[60:65] + "----zz",
        lambda secret: "|".join(secret[60:64]) + "zw!",
    ],
)
def test_what_repeats_nearly_a_secret_takes_bounded_work(
    monkeypatch: pytest.MonkeyPatch, part: Callable[[str], str], secret: str
) -> None:
    compared = 0
    followed = fragments._followed

    def counted(letters: bytes, at: int, form: Form, place: int) -> tuple[int, int]:
        nonlocal compared
        start, end = followed(letters, at, form, place)
        compared += 25 + end - start
        return start, end

    monkeypatch.setattr(fragments, "_followed", counted)
    redactor = Redactor()
    redactor.add(secret)
    repeated = part(secret)
    text = "before it " + repeated * (MANY // len(repeated.encode()))

    hidden = redactor.hide_in(text.encode()).decode()

    # Each of the passes has its own bound.
    assert compared <= 2 * fragments.MOST_WORK
    assert hidden.startswith("before it ")
    assert not any(secret[at : at + 12] in hidden for at in range(len(secret) - 11))


def test_a_part_behind_what_takes_too_much_work_is_hidden_all_the_same(redactor: Redactor) -> None:
    near = (TOKEN[20:30] + " zz ").encode() * 20_000

    for at in range(40):
        hidden = redactor.hide_in(near + TOKEN[at : at + 12].encode() + b" after it")
        assert TOKEN[at : at + 12].encode() not in hidden
        assert len(hidden) < len(near)


@pytest.mark.parametrize(
    "filling", ["a word, and a number: 1717171717; ", "2026-12-01T00:00:00.{n}Z ", "{n}{n}"]
)
def test_half_a_mebibyte_that_has_no_part_of_a_secret_stays_as_it_is(
    filling: str, redactor: Redactor
) -> None:
    text = "".join(filling.replace("{n}", str(n)) for n in range(20_000))[:MANY].encode()

    assert redactor.hide_in(text) == text
