"""Proxies of the configuration and of the environment, and that their credentials are never shown."""

from __future__ import annotations

import json

import pytest

from connector.config import LoadedConfig
from connector.errors import Problem
from tests.unit.config.conftest import GENERIC, Load, Outlined, Read, Refused

FAR = GENERIC.replace("ws://127.0.0.1:1", "wss://upstream.example")
OAUTH = "oauth: {client_id: me, client_secret: mysecret, token_url: 'https://login.example/token'%s}\n"
PROXY = "http://somebody:hunter2hunter2@proxy.corp:3128"
BARE = "http://proxy.corp:3128"


def with_proxy(value: str, text: str = FAR) -> str:
    return text.replace("kafka:", f"  proxy: {value}\nkafka:", 1)


def hosts(loaded: LoadedConfig) -> tuple[str | None, str | None]:
    """The hosts of the proxies to the endpoint and to the token endpoint."""
    peers = loaded.peers
    found = [peer.route.proxy.host if peer.route.proxy else None for peer in (peers.endpoint, peers.token)]
    return found[0], found[1]


def test_without_any_everything_is_reached_straight(load: Load) -> None:
    assert hosts(load(FAR + OAUTH % "")) == (None, None)


def test_the_endpoints_proxy_serves_token_requests_too(load: Load) -> None:
    assert hosts(load(with_proxy(PROXY) + OAUTH % "")) == ("proxy.corp", "proxy.corp")


def test_token_requests_may_go_another_way(load: Load) -> None:
    assert hosts(load(with_proxy(PROXY) + OAUTH % ", proxy: 'socks5h://other'")) == ("proxy.corp", "other")
    assert hosts(load(with_proxy(PROXY) + OAUTH % ", proxy: none")) == ("proxy.corp", None)
    assert hosts(load(FAR + OAUTH % f", proxy: '{PROXY}'")) == (None, "proxy.corp")


def test_the_environment_serves_where_the_configuration_says_nothing(load: Load) -> None:
    env = {"HTTPS_PROXY": "http://env.corp:1", "NO_PROXY": "login.example"}
    assert hosts(load(FAR + OAUTH % "", env=env)) == ("env.corp", None)
    assert load(FAR, env=env).peers.endpoint.route.named_by == "HTTPS_PROXY"


def test_none_switches_the_environment_off_for_both(load: Load) -> None:
    env = {"HTTPS_PROXY": "http://env.corp:1", "ALL_PROXY": "http://env.corp:1"}
    assert hosts(load(with_proxy("none") + OAUTH % "", env=env)) == (None, None)


def test_this_machine_itself_is_reached_straight_and_the_proxy_warned_of(load: Load) -> None:
    oauth = OAUTH.replace("https://login.example", "http://localhost") % f", proxy: '{BARE}'"
    loaded = load(with_proxy(BARE, GENERIC) + oauth)
    assert hosts(loaded) == (None, None)
    for key, warning in zip(("oauth.proxy", "endpoint.proxy"), loaded.warnings, strict=True):
        assert f": {key} does nothing: " in warning
    assert load(with_proxy(BARE, GENERIC) + OAUTH % "").warnings == ()  # token requests use it
    assert load(with_proxy("none", FAR)).warnings == ()
    assert load(with_proxy(BARE, FAR)).warnings == ()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("proxy.corp:3128", "must begin with"),
        ("ftp://u:hunter2hunter2@proxy", "must begin with"),
        ("'http://u:hunter2hunter2@proxy:x'", "no address"),
        ("'http://u:hunter2hunter2/@proxy'", "holds one of"),
        ("1", "must be an address"),
        ("''", "must begin with"),
        ("[]", "must be an address"),
        ("", "has no value"),
    ],
)
def test_a_wrong_address_is_told_with_a_remedy_and_without_its_secrets(
    refused: Refused, value: str, said: str
) -> None:
    (problem,) = refused(with_proxy(value))
    assert (problem.where, problem.path) == ("shop.yaml:4", "endpoint.proxy")
    assert said in problem.message
    assert "hunter2" not in str(problem)


def test_a_proxy_of_the_environment_that_cannot_be_used_is_told(refused: Refused) -> None:
    problems = refused(FAR + OAUTH % "", env={"HTTPS_PROXY": "gopher://u:hunter2hunter2@proxy"})
    assert problems == [
        Problem(
            where="environment",
            path=None,
            message="HTTPS_PROXY must begin with http://, socks5:// or socks5h://",
            remedy="correct HTTPS_PROXY: write one such as http://host:3128 or socks5h://host:1080",
        )
    ]


def test_a_proxy_of_the_environment_that_is_not_used_is_no_mistake(read: Read, outlined: Outlined) -> None:
    env = {"HTTPS_PROXY": "gopher://proxy"}
    read(GENERIC, env=env)
    read(with_proxy("none"), env=env)
    read(FAR, env={**env, "NO_PROXY": "*"})
    outlined(FAR, env=env)


@pytest.mark.parametrize("source", ["config", "placeholder", "part", "environment"])
def test_the_credentials_are_secrets_wherever_they_come_from(load: Load, source: str) -> None:
    text, env = {
        "config": (with_proxy(PROXY), {}),
        "placeholder": (with_proxy("'${env:P}'"), {"P": PROXY}),
        "part": (
            with_proxy("'http://somebody:${env:P}@proxy.corp:3128'"),
            {"P": "hunter2hunter2"},
        ),
        "environment": (FAR, {"ALL_PROXY": PROXY}),
    }[source]
    loaded = load(text, env=env)
    assert "hunter2hunter2" in loaded.secrets
    shown = (
        json.dumps(loaded.effective())
        + repr(loaded)
        + repr(loaded.config)
        + repr(loaded.peers)
        + str(loaded.peers)
    )
    assert "hunter2" not in shown
    assert "somebody" not in shown
    if source != "environment":
        assert '"proxy": "http://***@proxy.corp:3128"' in shown


def test_a_proxy_without_credentials_is_shown_as_it_is(load: Load) -> None:
    assert '"proxy": "socks5h://proxy.corp:1080"' in json.dumps(
        load(with_proxy("socks5h://proxy.corp")).effective()
    )
    assert '"proxy": "none"' in json.dumps(load(with_proxy("none")).effective())


def test_an_unresolved_proxy_is_left_alone(outlined: Outlined) -> None:
    outlined(with_proxy("'${env:P}'"))
    outlined(with_proxy("'http://u:${file:p}@proxy'"))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (with_proxy("'${env:NOPE}'"), "endpoint.proxy"),
        (FAR + OAUTH % ", proxy: '${env:NOPE}'", "oauth.proxy"),
        (FAR + "oauth: '${env:NOPE}'\n", "oauth"),
        (FAR + OAUTH.replace("'https://login.example/token'%s", "'${env:NOPE}'"), "oauth.token_url"),
        (FAR.replace("wss://upstream.example", "'${env:NOPE}'#"), "endpoint.url"),
    ],
)
def test_a_peer_that_is_not_known_is_one_mistake_and_hides_none_of_the_environment(
    refused: Refused, text: str, path: str
) -> None:
    problems = refused(text)
    assert [(problem.path, "NOPE is not set" in problem.message) for problem in problems] == [(path, True)]
    also = refused(text + f"kafka2: {PROXY}\n", env={"HTTPS_PROXY": "gopher://proxy"})
    assert {path, "kafka2"} <= {problem.path for problem in also}
    if path == "oauth":
        assert also[-1].message.startswith("HTTPS_PROXY must begin with")


def test_where_a_proxy_is_not_known_the_environment_is_not_looked_at(refused: Refused) -> None:
    problems = refused(with_proxy("'${env:NOPE}'"), env={"HTTPS_PROXY": "gopher://proxy"})
    assert [problem.path for problem in problems] == ["endpoint.proxy"]
