"""What is not known, since its placeholder is not filled, is left out, and everything else is checked."""

from __future__ import annotations

import pytest

from tests.unit.config.conftest import GENERIC, Outlined, Refused
from tests.unit.config.test_secrets import OAUTH, SECRET


def test_without_secrets_everything_else_is_checked(outlined: Outlined, refused: Refused) -> None:
    text = GENERIC + OAUTH + "tasks: ${env:TASKS}\nhttp: {port: '${env:PORT}'}\n"
    text = text.replace(
        "    topic: shop.orders", "    topic: shop.{region}\n    variables: {region: '${env:R}'}"
    )
    files = {"orders.graphql": "subscription ($region: Int!) { orders(r: $region) }"}
    assert [plan.name for plan in outlined(text, files=files).plans] == ["orders"]
    (problem,) = refused(text + "shutdown: {drain: 20}\n", resolve=False, files=files)
    assert problem.path == "shutdown.drain"


@pytest.mark.parametrize(
    "line", ["oauth: '${env:A}'", "tasks: '${env:A}'", "shutdown: '${env:A}'", "reload: '${env:A}'"]
)
def test_what_is_not_known_yet_may_be_of_any_kind(outlined: Outlined, line: str) -> None:
    assert outlined(f"{GENERIC}{line}\n").plans


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("endpoint:", "endpoint:\n  credentials: {in: '${env:A}'}"),
        ("endpoint:", "endpoint:\n  headers: {X: '${env:A}'}\n  init_payload: {k: ['${env:A}']}"),
        ("endpoint:", "endpoint:\n  init_payload: '${env:A}'"),
        ("document: orders.graphql", "document: orders.graphql\n    key: '${env:A}'"),
        ("document: orders.graphql", "document: orders.graphql\n    variables: '${env:A}'"),
        ("name: orders", "name: '${env:A}'"),
        (GENERIC[GENERIC.index("subscriptions:") :], "subscriptions: '${env:A}'\n"),
    ],
)
def test_what_is_not_known_yet_may_stand_anywhere(outlined: Outlined, old: str, new: str) -> None:
    assert old in GENERIC
    outlined(GENERIC.replace(old, new) + "token: '${env:TOKEN}'\n")


@pytest.mark.parametrize("resolve", [True, False])
@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("endpoint:", "endpoint:\n  colour: '${env:A}'", "endpoint.colour"),
        ("endpoint:", "endpoint:\n  headers: {Host: '${env:A}'}", "endpoint.headers.Host"),
        ("endpoint:", "endpoint:\n  refusals: ['${env:A}']", "endpoint.refusals[0]"),
        ("  - name: orders", "  - '${env:A}'\n  - name: orders", "subscriptions[0]"),
    ],
)
def test_what_no_value_could_make_right_is_told(
    refused: Refused, old: str, new: str, path: str, resolve: bool
) -> None:
    problems = refused(GENERIC.replace(old, new), resolve=resolve)
    assert [problem.path for problem in problems if "A is not set" not in problem.message] == [path]


def test_a_name_that_is_not_known_yet_is_as_it_is_written(outlined: Outlined) -> None:
    assert outlined(GENERIC.replace("name: shop", "name: shop-${env:A}")).name == "shop-${env:A}"


def test_what_a_placeholder_leaves_open_is_no_second_mistake(refused: Refused) -> None:
    text = GENERIC + OAUTH + "tasks: ${env:NOPE}\nhttp: {port: '${env:NOPE}'}\n"
    text = text.replace("localhost:9092", "${env:NOPE}")
    problems = refused(text, env={"ID": "me"}, files={"secret.txt": SECRET})
    assert [(problem.path, problem.message) for problem in problems] == [
        (path, "the environment variable NOPE is not set")
        for path in ("kafka.bootstrap_servers", "tasks", "http.port")
    ]


def test_what_a_placeholder_leaves_open_is_checked_as_far_as_it_is_written(
    refused: Refused,
) -> None:
    (problem,) = refused(
        GENERIC.replace("127.0.0.1:1/", "${env:HOST}/").replace(
            "endpoint:", "endpoint:\n  tls: {ca_file: x}"
        ),
        resolve=False,
    )
    assert (problem.path, problem.remedy) == ("endpoint.tls", "write wss:// there, or take tls out")


def test_a_subscription_that_is_not_known_yet_has_no_plan(outlined: Outlined) -> None:
    assert outlined(GENERIC.replace("orders.graphql", "${env:DOCUMENT}")).plans == ()
