"""Which way a connection goes: configuration, environment, exceptions."""

from __future__ import annotations

import pytest

from connector.http import EnvironmentProxyMistake, is_loopback, parse_proxy, route_to

NAMED = parse_proxy("http://named:1")


def through(url: str, **env: str) -> str | None:
    """The host of the proxy that the environment makes us use."""
    proxy = route_to(url, None, env).proxy
    return proxy.host if proxy else None


LOOPBACK = [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "x.localhost",
    "127.0.0.1",
    "127.9.8.7",
    "127.1",
    "0x7f000001",
    "2130706433",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_this_machine_itself_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["localhost.example", "xlocalhost", "10.0.0.1", "128.0.0.1", "::2", "", "a" * 300]
)
def test_other_machines_are_not_this_one(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "a.localhost", "[::ffff:127.0.0.1]"])
@pytest.mark.parametrize("scheme", ["ws", "wss", "http", "https"])
def test_this_machine_is_never_reached_through_a_proxy(scheme: str, host: str) -> None:
    env = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"), "http://proxy:1")
    url = f"{scheme}://{host}:8080/x"
    assert route_to(url, None, env).proxy is None
    assert route_to(url, NAMED, env).proxy is None


def test_the_configurations_proxy_goes_before_the_environments() -> None:
    env = {"HTTPS_PROXY": "http://other:2", "NO_PROXY": "*"}
    route = route_to("wss://upstream.example/", NAMED, env)
    assert (route.proxy, route.named_by) == (NAMED, None)


def test_none_switches_the_environment_off() -> None:
    assert route_to("wss://upstream.example/", "none", {"HTTPS_PROXY": "http://proxy:1"}).proxy is None


@pytest.mark.parametrize(
    ("url", "variable", "is_used"),
    [
        ("wss://upstream.example/", "HTTPS_PROXY", True),
        ("wss://upstream.example/", "https_proxy", True),
        ("wss://upstream.example/", "ALL_PROXY", True),
        ("wss://upstream.example/", "HTTP_PROXY", False),
        ("https://upstream.example/", "HTTPS_PROXY", True),
        ("https://upstream.example/", "all_proxy", True),
        ("https://upstream.example/", "HTTP_PROXY", False),
        ("http://upstream.example/", "HTTP_PROXY", True),
        ("http://upstream.example/", "http_proxy", True),
        ("http://upstream.example/", "ALL_PROXY", True),
        ("http://upstream.example/", "HTTPS_PROXY", False),
        ("ws://upstream.example/", "HTTP_PROXY", True),
        ("ws://upstream.example/", "HTTPS_PROXY", True),
        ("ws://upstream.example/", "ALL_PROXY", True),
    ],
)
def test_each_variable_is_for_its_schemes(url: str, variable: str, is_used: bool) -> None:
    route = route_to(url, None, {variable: "http://proxy:1"})
    assert (route.proxy is not None) == is_used
    assert route.named_by == (variable if is_used else None)


def test_lower_case_goes_first_and_empty_is_absent() -> None:
    url = "https://upstream.example/"
    assert through(url, https_proxy="http://lower", HTTPS_PROXY="http://upper") == "lower"
    assert through(url, https_proxy=" ", HTTPS_PROXY="http://upper") == "upper"
    assert through(url, https_proxy="http://own", all_proxy="http://all") == "own"


def test_sockets_in_the_clear_prefer_the_proxy_for_tls() -> None:
    assert through("ws://upstream.example/", HTTP_PROXY="http://a", HTTPS_PROXY="http://b") == "b"


def test_the_environment_may_leave_the_scheme_out() -> None:
    proxy = route_to("https://upstream.example/", None, {"HTTPS_PROXY": "proxy.corp:3128"}).proxy
    assert str(proxy) == "http://proxy.corp:3128"


def test_an_unusable_variable_is_named_and_not_quoted() -> None:
    with pytest.raises(EnvironmentProxyMistake) as caught:
        route_to("https://upstream.example/", None, {"HTTPS_PROXY": "gopher://me:hunter2@proxy"})
    assert caught.value.variable == "HTTPS_PROXY"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "no_proxy", "is_direct"),
    [
        ("xn--bcher-kva.example", "bücher.example", True),
        ("api.xn--bcher-kva.example", ".bücher.example", True),
        ("xn--bcher-kva.example", "☃..", False),
        ("a.example", "*", True),
        ("a.example", "a.example", True),
        ("a.example", "A.EXAMPLE", True),
        ("a.example", "example", True),
        ("a.example", ".example", True),
        ("a.example", "*.example", True),
        ("example", ".example", True),
        ("a.example.", "a.example", True),
        ("a.example", "other, a.example", True),
        ("a.example", "other a.example", True),
        ("a.example:8443", "a.example:8443", True),
        ("a.example", "a.example:443", True),
        ("a.example", "a.example:8443", False),
        ("a.example", "ample", False),
        ("a.example", "b.a.example", False),
        ("a.example", "", False),
        ("a.example", ",.,*.,", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "11.0.0.0/8", False),
        ("10.1.2.3", "10.0.0.0/99", False),
        ("10.1.2.3", "2.3", False),
        ("[fd00::1]", "fd00::1", True),
        ("[fd00::1]", "[fd00::1]", True),
        ("[fd00::1]", "[fd00::1]:443", True),
        ("[fd00::1]", "fd00::/8", True),
        ("[fd00::1]", "fe00::/8", False),
    ],
)
@pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
def test_no_proxy_names_what_is_reached_straight(
    variable: str, host: str, no_proxy: str, is_direct: bool
) -> None:
    env = {"https_proxy": "http://proxy:1", variable: no_proxy}
    assert (through(f"wss://{host}/", **env) is None) == is_direct
