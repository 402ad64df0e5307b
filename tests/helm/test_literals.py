"""Credentials that stand in the values themselves: a ConfigMap would show them."""

from pathlib import Path
from typing import Any

import pytest

from tests.helm.objects import Object, merged
from tests.helm.runner import Helm, RefusedError

LITERAL = "holds a literal secret"
URLS = [
    "?accessToken=a",
    "?authToken=a",
    "?clientSecret=a",
    "?appkey=a",
    "?%74oken=a",
    "?a=b;token=${env:T}a",
]
HOSTS = ["wss://TOKEN@h.example/", "wss://u:pa$s@h.example/", "wss://u:${env:P}x@h.example/"]
PAYLOADS: list[dict[str, Any]] = [
    {"x-app-key": "a"},
    {"key": "a"},
    {"auth": "a"},
    {"authtoken": "a"},
    {"headers": [{"name": "Authorization", "value": "a"}]},
    {"tokens": {"who": "ghp_abcdef"}},
]
HEADERS = [
    ("accesstoken", "a"),
    ("clientsecret", "a"),
    ("xapitoken", "a"),
    ("X-Authentication", "a"),
    ("X-Access-Code", "a"),
    ("x-pat", "a"),
    ("X-Who", "Token abc"),
    ("X-Who", "ApiKey abc"),
    ("X-Who", "ghp_abcdef"),
]
VARIABLES = [
    ("HTTPS_PROXY", "http://u:p$w@h:1"),
    ("APP_KEY", "a"),
    ("BITQUERY_KEY", "a"),
    ("KAFKA_PASS", "a"),
    ("CLIENT_SECRET_2", "a"),
]


def endpoint(key: str, value: object) -> Object:
    return {"config": {"endpoint": {key: value}}}


CASES: list[Object] = [
    *(endpoint("url", f"wss://h.example/g{query}") for query in URLS),
    *(endpoint("url", url) for url in HOSTS),
    *(endpoint("init_payload", payload) for payload in PAYLOADS),
    *(endpoint("headers", {name: value}) for name, value in HEADERS),
    endpoint("proxy", "http://${env:U}:literal@h:1"),
    endpoint("proxy", "http://u:p/w@h:1"),
    endpoint("credentials", {"in": "init", "name": "x", "template": "abcdef{token}"}),
    endpoint("credentials", [{"in": "init", "name": "x", "template": "{token}abcdef"}]),
    {"config": {"oauth": {"client_secret": "literal${env:X}"}}},
    *({"extraEnv": [{"name": name, "value": value}]} for name, value in VARIABLES),
    {"documents": {"a.graphql": '# eyJhbGciOiJIUzI1NiJ9.e30.abc\nsubscription { a(t: "x") }'}},
]


@pytest.mark.parametrize("changes", CASES, ids=str)
def test_a_literal_credential_is_refused(helm: Helm, chart: Path, values: Object, changes: Object) -> None:
    with pytest.raises(RefusedError, match=LITERAL):
        helm.template(chart, merged(values, changes))


def test_a_token_in_a_variable_is_refused(helm: Helm, chart: Path, values: Object) -> None:
    values["config"]["subscriptions"][0]["variables"]["who"] = "Bearer abc"
    with pytest.raises(RefusedError, match=r"config\.subscriptions\[0\] holds a literal secret"):
        helm.template(chart, values)


def test_placeholders_with_what_belongs_to_them_are_taken(helm: Helm, chart: Path, values: Object) -> None:
    changes: Object = {
        "headers": {
            "Authorization": "Bearer ${env:T}",
            "Cookie": "session=${env:S}; id=${env:I}",
            "X-Auth": 'Token token="${env:T}"',
            "X-Compass": "north",
            "Origin": "https://app.example",
        },
        "init_payload": {"headers": [{"name": "Authorization", "value": "Bearer ${env:T}"}], "v": [1, "a"]},
        "url": "wss://h.example/g?network=eth&key=${env:K}",
        "proxy": "http://me:${env:P}@proxy:3128",
        "credentials": [
            {"in": "header", "name": "Authorization", "template": "Bearer {token}"},
            {"in": "init", "name": "headers.x-key", "template": "apikey={token}"},
        ],
    }
    values["config"]["subscriptions"][0]["variables"]["token"] = "0xdac17f958d2ee523a2206206994597c13d831ec7"
    env = [
        {"name": "HTTPS_PROXY", "value": "http://$(U):$(P)@proxy:3128"},
        {"name": "NO_PROXY", "value": "localhost"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}},
    ]
    helm.template(chart, merged(values, {"config": {"endpoint": changes}, "extraEnv": env}))
