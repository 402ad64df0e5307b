"""Placeholders, and that nothing secret is ever shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.config import Secret
from tests.unit.config.conftest import GENERIC, Load, Outlined, Read, Refused

SECRET = 's3cr+t/=%"x'
OAUTH = """\
oauth:
  token_url: http://127.0.0.1:1/token
  client_id: ${env:ID}
  client_secret: ${file:secret.txt}
"""


def test_placeholders_are_filled(read: Read) -> None:
    config = read(GENERIC + OAUTH, env={"ID": "me"}, files={"secret.txt": f"{SECRET}\n"})
    assert config.oauth is not None
    assert config.oauth.client_id == "me"
    assert config.oauth.client_secret.reveal() == SECRET


def test_a_placeholder_may_be_part_of_a_value_and_of_any_kind(read: Read) -> None:
    text = GENERIC.replace("localhost:9092", "${env:HOST}:${env:PORT}") + "http: {port: '${env:PORT}'}\n"
    text += "topics: {create: '${env:CREATE}'}\nshutdown: {drain: '${env:N}s'}\n"
    config = read(text, env={"HOST": "kafka", "PORT": "9092", "CREATE": "false", "N": "7"})
    assert config.kafka.bootstrap_servers == "kafka:9092"
    assert (config.http.port, config.topics.create, config.shutdown.drain) == (9092, False, 7.0)


def test_two_dollars_escape_a_placeholder(read: Read) -> None:
    text = GENERIC + "topics: {config: {x: '$${env:A}'}}\n"
    assert read(text).topics.config == {"x": "${env:A}"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("${env:NOPE}", "variable NOPE is not set"),
        ("${env:EMPTY}", "variable EMPTY is empty"),
        ("${file:nope}", "nope: is not there"),
        ("${file:empty}", "empty is empty"),
        ("${file:/}", "is a directory"),
        ("${NOPE}", "no placeholder"),
        ("${env:NOPE:-x}", "no placeholder"),
        ("${", "no placeholder"),
    ],
)
def test_a_placeholder_that_cannot_be_filled_is_a_problem(refused: Refused, value: str, message: str) -> None:
    text = GENERIC + OAUTH.replace("${file:secret.txt}", f"'{value}'")
    (problem,) = refused(text, env={"ID": "x", "EMPTY": ""}, files={"empty": "\n"})
    assert (problem.where, problem.path) == ("shop.yaml:13", "oauth.client_secret")
    assert message in problem.message


def test_secrets_are_those_that_must_not_be_shown(load: Load) -> None:
    text = (
        GENERIC.replace("  url: ws://127.0.0.1:1/graphql", "  url: ws://h/g?api_key=query%2Bsecret") + OAUTH
    )
    text = text.replace(
        "endpoint:", "endpoint:\n  headers: {X-Key: 'Key ${env:KEY}'}\n  init_payload: {k: [payload-secret]}"
    )
    text = text.replace("localhost:9092", "${file:host.txt}:9092")
    files = {"secret.txt": SECRET, "host.txt": "kafka-host"}
    loaded = load(text, env={"ID": "visible", "KEY": "k"}, files=files)
    assert set(loaded.secrets) == {
        SECRET,
        "k",
        "kafka-host",
        "payload-secret",
        "query%2Bsecret",
        "query+secret",
    }
    shown = (
        json.dumps(loaded.effective())
        + repr(loaded)
        + repr(loaded.config)
        + str(loaded.config.endpoint)
        + repr(loaded.config.oauth)
    )
    for secret in (SECRET, "kafka-host", "payload-secret", "query%2Bsecret", "query+secret", "Key k"):
        assert json.dumps(secret)[1:-1] not in shown
        assert secret not in shown
    assert '"client_id": "visible"' in shown


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: shop", "name: shop\ntoken: *sup3rSECRET"),
        ("name: shop", "name: shop\ntoken: {sup3rSECRET}"),
        ("name: shop", "name: shop\ntoken: {sup3rSECRET: [}"),
        ("name: shop", "name: shop\ntoken: {a: {sup3rSECRET: 1, sup3rSECRET: 2}}"),
        ("name: shop", "name: shop\ntoken: !sup3rSECRET x"),
        ("name: shop", "name: shop\ntoken: &sup3rSECRET x\ntasks: &sup3rSECRET 1"),
        ("name: shop", "name: shop\ntoken: !<sup3rSECRET x"),
        ("name: shop", f"name: shop\n{OAUTH}".replace("${file:secret.txt}", "{sup3rSECRET,abc}")),
        ("name: shop", f"name: shop\n{OAUTH}".replace("${file:secret.txt}", "!sup3rSECRET!x")),
        ("endpoint:", "endpoint:\n  headers: {'X-Key: sup3rSECRET': }"),
        ("endpoint:", "endpoint:\n  headers: {'X-Key: sup3rSECRET': 1}"),
        ("endpoint:", "endpoint:\n  headers: {X-Key: {sup3rSECRET: 1}}"),
        ("endpoint:", "endpoint:\n  headers: {sup3rSECRET}"),
        ("endpoint:", "endpoint:\n  headers: [sup3rSECRET]"),
        ("endpoint:", "endpoint:\n  proxy: {http://me:sup3rSECRET@h:1}"),
        ("endpoint:", "endpoint:\n  tls: {key_password: {sup3rSECRET}}"),
        ("name: shop", "name: shop\ntoken: sup3rSECRET\nsup3rSECRET: 1"),
        ("    topic:", "    variables: {sup3rSECRET: 1}\n    topic:"),
    ],
)
def test_a_secret_that_yaml_reads_as_something_else_is_not_quoted(
    refused: Refused, old: str, new: str
) -> None:
    text = GENERIC.replace(old, new, 1)
    if "variables" in new:
        text += "token: sup3rSECRET\n"
    for problem in refused(text, env={"ID": "me"}):
        assert "3rSECRET" not in str(problem)


def test_a_key_is_shown_though_a_secret_is_a_part_of_its_name(refused: Refused) -> None:
    (problem,) = refused(
        GENERIC + OAUTH + "http: {prot: 1}\n", env={"ID": "me"}, files={"secret.txt": "http"}
    )
    assert problem.path == "http.prot"


def test_a_mapping_in_the_place_of_a_secret_is_one_mistake(refused: Refused) -> None:
    (problem,) = refused(GENERIC + "token: {abc}\n")
    assert (problem.path, problem.message) == ("token", "must be a string")


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret(SECRET)
    assert f"{secret!r} {secret} {[secret]}" == "*** *** [***]"
    assert secret.reveal() == SECRET
    assert secret == Secret(SECRET)
    assert secret != Secret("other")


@pytest.mark.parametrize("value", ["12345678", "[a, b]", "''", "true"])
def test_a_secret_must_be_text(refused: Refused, value: str) -> None:
    (problem,) = refused(f"{GENERIC}token: {value}\n")
    assert problem.path == "token"
    assert "1234" not in str(problem)


def test_no_problem_quotes_what_came_from_outside(refused: Refused) -> None:
    bad = '{"' + SECRET + "hidden"
    text = GENERIC.replace("orders.graphql", "'{ ${file:secret.txt}'")
    for value in ("localhost:9092", "shop.orders", "ws://127.0.0.1:1/graphql"):
        text = text.replace(value, "${file:secret.txt}")
    text = text.replace("name: orders", "name: '${file:secret.txt}'")
    for line in ("tasks: X", "shutdown: {drain: X}", "log: {level: X}", "endpoint2: X", "delivery: X"):
        text += line.replace("X", "'${file:secret.txt}'") + "\n"
    problems = refused(text, files={"secret.txt": bad})
    assert len(problems) > 8
    for problem in problems:
        assert "hidden" not in str(problem)
        assert SECRET not in str(problem)


def test_no_problem_quotes_a_path_or_a_document_from_outside(refused: Refused) -> None:
    text = GENERIC.replace("topic: shop.orders", "topic: t\n    rows: ${file:secret.txt}")
    text += "  - {name: b, topic: t, document: 'subscription { a } ${file:secret.txt}'}\n"
    text += "  - {name: c, topic: t, document: 'subscription { ${file:more.txt} }'}\n"
    text += "  - {name: d, topic: '{${file:secret.txt}}', document: orders.graphql}\n"
    files = {"secret.txt": "hush_hush", "more.txt": "quiet quieter quietest"}
    problems = refused(text, files=files)
    assert [problem.path and problem.path[:16] for problem in problems] == [
        f"subscriptions[{index}]" for index in range(4)
    ]
    for problem in problems:
        assert "hush" not in str(problem)
        assert "quiet" not in str(problem)


@pytest.mark.parametrize("resolve", [True, False])
@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("name: shop", "name: ${file:x}", "name"),
        ("name: orders", "name: ${file:x}", "subscriptions[0].name"),
        ("topic: shop.orders", "topic: shop.${file:x}", "subscriptions[0].topic"),
        ("topic: shop.orders", "topic: t\n    key: ['${file:x}']", "subscriptions[0].key[0]"),
        ("topic: shop.orders", "topic: t\n    rows: ${file:x}", "subscriptions[0].rows"),
        ("topic: shop.orders", "topic: t\n    headers: {h: '${file:x}'}", "subscriptions[0].headers.h"),
    ],
)
def test_a_name_does_not_come_from_a_file(
    refused: Refused, old: str, new: str, path: str, resolve: bool
) -> None:
    (problem,) = refused(GENERIC.replace(old, new, 1), files={"x": "id"}, resolve=resolve)
    assert problem.path == path
    assert "never shown" in problem.message


@pytest.mark.parametrize("resolve", [True, False])
def test_a_topic_holds_no_variable_from_a_file(
    load: Load, outlined: Outlined, refused: Refused, resolve: bool
) -> None:
    text = GENERIC.replace("topic: shop.orders", "topic: shop.{r}\n    variables: {r: '${file:x}'}")
    files = {"x": "id", "orders.graphql": "subscription ($r: String) { orders(r: $r) }"}
    (problem,) = refused(text, files=files, resolve=resolve)
    assert problem.path == "subscriptions[0].topic"
    assert (load if resolve else outlined)(text.replace("{r}", "r"), files=files).plans
    assert (
        load(text.replace("${file:x}", "${env:X}"), files=files, env={"X": "eu"}).plans[0].topic == "shop.eu"
    )


@pytest.mark.parametrize("token", ["a b\nc", "a\x01", "tökn"])
def test_a_token_file_holds_what_a_token_may(refused: Refused, token: str) -> None:
    (problem,) = refused(GENERIC + "token_file: t\n", files={"t": token})
    assert problem.path == "token_file"
    assert "no access token" in problem.message


def test_the_effective_configuration_hides_even_short_header_values(load: Load) -> None:
    loaded = load(GENERIC.replace("endpoint:", "endpoint:\n  headers: {X: abc}\n  init_payload: {k: xyz}"))
    shown = json.dumps(loaded.effective())
    assert "abc" not in shown
    assert "xyz" not in shown


def test_a_file_placeholder_may_be_absolute(read: Read, tmp_path: Path) -> None:
    (tmp_path / "t").write_text("a-token\r\n")
    config = read(f"{GENERIC}token: ${{file:{tmp_path}/t}}\n")
    assert config.token is not None
    assert config.token.reveal() == "a-token"
