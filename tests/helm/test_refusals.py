"""What the chart refuses, and that it says why."""

from pathlib import Path
from typing import Any

import pytest

from tests.helm.objects import Object, merged
from tests.helm.runner import Helm, RefusedError

BILLED_TWICE = "two pods would publish every row twice"
LITERAL = "holds a literal secret"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "two replicas": ({"replicaCount": 2}, BILLED_TWICE),
    "no replica": ({"replicaCount": 0}, BILLED_TWICE),
    "an unknown key": ({"replicas": 1}, "'replicas' not allowed"),
    "an unknown key within": ({"image": {"name": "x"}}, "'name' not allowed"),
    "a drain as long as the grace": (
        {"config": {"shutdown": {"drain": "30s"}}},
        "Raise terminationGracePeriodSeconds",
    ),
    "a drain 5 s short of the grace": (
        {"terminationGracePeriodSeconds": 25},
        "drain is 20s and terminationGracePeriodSeconds is 25",
    ),
    "a drain in minutes": ({"config": {"shutdown": {"drain": "0.5m"}}}, "drain is 0.5m"),
    "a drain of two units": ({"config": {"shutdown": {"drain": "20s6000ms"}}}, "drain is 20s6000ms"),
    "a drain that is no duration": ({"config": {"shutdown": {"drain": "soon"}}}, "/config/shutdown/drain"),
    "a drain of nothing": ({"config": {"shutdown": {"drain": "0s"}}}, "/config/shutdown/drain"),
    "no drain": ({"config": {"shutdown": None}}, "missing property 'shutdown'"),
    "a loopback host": ({"config": {"http": {"host": "127.0.0.1"}}}, "the probes ask the pod's own address"),
    "an ephemeral port": ({"config": {"http": {"port": 0}}}, "/config/http/port"),
    "no subscription": ({"config": {"subscriptions": []}}, "config.subscriptions is empty"),
    "a document nobody gave": ({"documents": None}, "which `documents` does not hold. It holds: nothing"),
    "connector.yaml as a document": ({"documents": {"connector.yaml": "x"}}, "connector.yaml"),
    "a document's path": ({"documents": {"a/b.graphql": "x"}}, "a/b.graphql"),
    "a client secret in the open": ({"config": {"oauth": {"client_secret": 'a+b/c=%"'}}}, LITERAL),
    "a proxy's password in the open": (
        {"config": {"endpoint": {"proxy": "http://user:password@proxy:3128"}}},
        f"config.endpoint.proxy {LITERAL}",
    ),
    "a key's password in the open": (
        {"config": {"oauth": {"tls": {"key_password": "in the open"}}}},
        f"config.oauth.tls.key_password {LITERAL}",
    ),
    "a token in the open": ({"config": {"token": "ory_at_abc"}}, f"config.token {LITERAL}"),
    "a password in the open": (
        {"config": {"kafka": {"security": {"sasl": {"password": "x"}}}}},
        f"config.kafka.security.sasl.password {LITERAL}",
    ),
    "a header in the open": ({"config": {"endpoint": {"headers": {"X-API-Key": "x"}}}}, LITERAL),
    "a payload in the open": (
        {"config": {"endpoint": {"init_payload": {"authToken": {"token": "x"}}}}},
        LITERAL,
    ),
    "both monitors": ({"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}}, "Enable one"),
    "a monitor of no service": (
        {"service": {"enabled": False}, "serviceMonitor": {"enabled": True}},
        "needs service.enabled",
    ),
}


@pytest.mark.parametrize(("changes", "reason"), REFUSED.values(), ids=REFUSED)
def test_is_refused_with_the_reason(
    helm: Helm, chart: Path, values: Object, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        helm.template(chart, merged(values, changes))
    assert reason in str(refused.value)


def test_without_values_the_reason_says_what_to_give(helm: Helm, chart: Path) -> None:
    with pytest.raises(
        RefusedError, match=r"config\.subscriptions is empty: give the connector's configuration"
    ):
        helm.template(chart, {})


def test_a_refusal_does_not_repeat_the_secret(helm: Helm, chart: Path, values: Object) -> None:
    with pytest.raises(RefusedError) as refused:
        helm.template(chart, merged(values, {"config": {"oauth": {"client_secret": "hunter2"}}}))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("drain", "grace"), [("20s", 26), ("20500ms", 26), ("1m", 66), ("1ms", 6), ("1m30s500ms", 96)]
)
def test_a_drain_that_ends_in_time_is_taken(
    helm: Helm, chart: Path, values: Object, drain: str, grace: int
) -> None:
    changes = {"config": {"shutdown": {"drain": drain}}, "terminationGracePeriodSeconds": grace}
    helm.template(chart, merged(values, changes))


def test_a_variable_named_token_is_no_secret(helm: Helm, chart: Path, values: Object) -> None:
    values["config"]["subscriptions"][0]["variables"]["token"] = "0xdac17f958d2ee523a2206206994597c13d831ec7"
    helm.template(chart, values)
