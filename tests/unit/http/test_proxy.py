"""Addresses of proxies, and what is never shown of them."""

from __future__ import annotations

import pytest

from connector.http import Proxy, ProxyMistake, parse_proxy, proxy_refused


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "user", "password"),
    [
        ("http://proxy.corp:3128", "http", "proxy.corp", 3128, None, ""),
        ("HTTP://Proxy.Corp:3128/", "http", "proxy.corp", 3128, None, ""),
        ("http://proxy", "http", "proxy", 80, None, ""),
        ("socks5://10.0.0.1", "socks5", "10.0.0.1", 1080, None, ""),
        ("socks5h://[fd00::1]:1081", "socks5h", "fd00::1", 1081, None, ""),
        ("http://me:s%3Acr%40t@proxy:1", "http", "proxy", 1, "me", "s:cr@t"),
        ("http://me:s:cr@t@proxy:1", "http", "proxy", 1, "me", "s:cr@t"),
        ("http://me@proxy:1", "http", "proxy", 1, "me", ""),
        ("http://m%C3%BC:p@proxy:1", "http", "proxy", 1, "mü", "p"),
    ],
)
def test_an_address_is_taken_apart(
    text: str, scheme: str, host: str, port: int, user: str | None, password: str
) -> None:
    proxy = parse_proxy(text)
    assert (proxy.scheme, proxy.host, proxy.port) == (scheme, host, port)
    assert (proxy.user, proxy.password) == (user, password)
    assert parse_proxy(proxy.url) == proxy


@pytest.mark.parametrize(
    "text",
    [
        "",
        "proxy:3128",
        "ftp://proxy:3128",
        "https://proxy:3128",
        "socks4://proxy:3128",
        "http://",
        "http://:3128",
        "http://proxy:0",
        "http://proxy:99999",
        "http://proxy:port",
        "http://[::1",
        "http://proxy:3128/path",
        "http://proxy:3128?query",
        "http://proxy:3128#fragment",
        "http://prox y:3128",
        "http://proxy\r\nX: y:3128",
        "http://pr xy:3128",
        "http://:hunter2@proxy:3128",
        "http://us/er:hunter2@proxy:3128",
        "http://user:hunter2%FF@proxy:3128",
        "http://us%3Aer:hunter2@proxy:3128",
        "http://user:hunter2%0d%0aX@proxy:3128",
        f"http://user:{'hunter2' * 40}@proxy:3128",
    ],
)
def test_no_address_is_told_with_a_remedy_and_without_the_text(text: str) -> None:
    with pytest.raises(ProxyMistake) as caught:
        parse_proxy(text)
    assert caught.value.remedy
    assert "hunter2" not in f"{caught.value!r}{caught.value.remedy}"
    assert caught.value.__cause__ is None


def test_neither_user_nor_password_is_shown() -> None:
    proxy = parse_proxy("http://somebody:hunter2@proxy:3128")
    for shown in (str(proxy), repr(proxy), f"{proxy}"):
        assert "hunter2" not in shown
        assert "somebody" not in shown
    assert str(proxy) == "http://***@proxy:3128"


def test_the_secrets_are_the_password_and_what_basic_makes_of_it() -> None:
    # printf 'somebody:hunter2' | base64
    assert set(parse_proxy("http://somebody:hunter2@proxy").secrets) == {
        "hunter2",
        "somebody:hunter2",
        "c29tZWJvZHk6aHVudGVyMg==",
    }
    assert parse_proxy("http://somebody@proxy").secrets == ()
    assert parse_proxy("http://proxy").secrets == ()


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("http://proxy:1", 407, "the proxy http://proxy:1 wants a user and a password (HTTP 407)"),
        (
            "http://u:pw@proxy:1",
            407,
            "the proxy http://***@proxy:1 does not accept user and password (HTTP 407)",
        ),
        ("http://proxy:1", 403, "the proxy http://proxy:1 refuses to connect to the host (HTTP 403)"),
        (
            "http://u:pw@proxy:1",
            401,
            "the proxy http://***@proxy:1 does not accept user and password (HTTP 401)",
        ),
        ("http://proxy:1", 500, "the proxy http://proxy:1 cannot reach the host (HTTP 500)"),
        ("http://proxy:1", 502, "the proxy http://proxy:1 cannot reach the host (HTTP 502)"),
        ("http://proxy:1", 418, "the proxy http://proxy:1 answered with HTTP 418"),
    ],
)
def test_what_a_proxy_answers_is_told_in_words(text: str, status: int, said: str) -> None:
    assert proxy_refused(parse_proxy(text), status) == said


def test_an_address_of_ipv6_keeps_its_brackets() -> None:
    assert str(Proxy(scheme="http", host="fd00::1", port=80)) == "http://[fd00::1]:80"


@pytest.mark.parametrize("host", ["bücher.example", "BÜCHER.example", "bücher。example"])
def test_an_international_host_has_the_name_that_dns_has(host: str) -> None:
    proxy = parse_proxy(f"http://me:secret@{host}:3128")
    assert (proxy.host, proxy.port, proxy.user) == ("xn--bcher-kva.example", 3128, "me")
    assert str(proxy) == "http://***@xn--bcher-kva.example:3128"
