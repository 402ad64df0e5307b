"""Where the token goes, and that it shows nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.upstream import Opening, Placement, Target

TOKEN = 'ory_at_a+b/c=d%e"f'


def target(
    place: str, name: str = "token", template: str = "{token}", url: str = "wss://host/graphql"
) -> Target:
    placement = Placement(place=place, name=name, template=template)  # type: ignore[arg-type]
    return Target(url=url, placements=(placement,), headers={"X-A": "1"}, init_payload={"a": 1})


def test_in_the_url_everything_but_unreserved_characters_is_encoded() -> None:
    opening = target("url").opening(TOKEN)
    assert opening.url == "wss://host/graphql?token=ory_at_a%2Bb%2Fc%3Dd%25e%22f"
    assert (opening.headers, opening.init_payload) == ({"X-A": "1"}, {"a": 1})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("wss://host/g?x=1", "wss://host/g?x=1&to%26ken=t"),
        ("wss://host", "wss://host?to%26ken=t"),
        ("ws://h:1/g?", "ws://h:1/g?to%26ken=t"),
    ],
)
def test_a_query_that_is_there_stays(url: str, expected: str) -> None:
    assert target("url", name="to&ken", url=url).opening("t").url == expected


def test_in_a_header() -> None:
    opening = target("header", name="Authorization", template="Bearer {token}").opening(TOKEN)
    assert opening.headers == {"X-A": "1", "Authorization": f"Bearer {TOKEN}"}
    assert opening.url == "wss://host/graphql"


def test_in_the_init_payload() -> None:
    opening = target("init", name="Authorization", template="Bearer {token}").opening(TOKEN)
    assert opening.init_payload == {"a": 1, "Authorization": f"Bearer {TOKEN}"}


def test_in_an_init_payload_that_was_not_there() -> None:
    bare = Target(url="wss://host", placements=(Placement(place="init", name="token"),))
    assert bare.opening(TOKEN).init_payload == {"token": TOKEN}


@pytest.mark.parametrize("place", ["url", "header", "init"])
def test_without_a_token_nothing_is_put_in(place: str) -> None:
    opening = target(place).opening(None)
    assert opening == Opening(url="wss://host/graphql", headers={"X-A": "1"}, init_payload={"a": 1})


def test_without_a_placement_nothing_is_put_in() -> None:
    assert Target(url="wss://host").opening(TOKEN).url == "wss://host"


@pytest.mark.parametrize("place", ["url", "header", "init"])
def test_no_repr_shows_the_token(place: str) -> None:
    assert "ory_at" not in repr(target(place).opening(TOKEN))


@pytest.mark.parametrize(
    "text",
    [
        f"bad {TOKEN}!",
        "bad ory_at_a%2Bb%2Fc%3Dd%25e%22f!",
        f"?token={TOKEN}&{TOKEN}!",
        r'{"error":"ory_at_a+b/c=d%e\"f!',
        r'{"error":"ory_at_a+b\/c=d%e\"f!',
        "<b>ory_at_a+b/c=d%e&quot;f!",
    ],
)
def test_a_token_that_the_server_repeats_is_taken_out(text: str) -> None:
    cleaned = target("url").opening(TOKEN).without_token(text)
    assert "ory_at" not in cleaned
    assert cleaned.endswith("[token]!")


def test_a_token_that_was_cut_off_is_taken_out() -> None:
    opening = target("url").opening(TOKEN)
    assert opening.without_token("bad token ory_at_a+b/c") == "bad token [token]"
    assert opening.without_token("ory_at_a+b/c") == "[token]"
    assert opening.without_token("a story") == "a story"


@given(st.text(min_size=6, max_size=30), st.text())
def test_texts_without_the_token_stay(token: str, text: str) -> None:
    opening = target("url").opening(f"<{token}>")
    assert f"<{token}>" not in opening.without_token(f"{text}<{token}>{text}")
    if "<" not in text and "%" not in text:
        assert opening.without_token(text) == text


def test_in_several_places_at_once() -> None:
    places = (
        Placement(place="url", name="key"),
        Placement(place="header", name="Authorization", template="Bearer {token}"),
        Placement(place="init", name="token"),
        Placement(place="init", name="headers.Authorization", template="Bearer {token}"),
    )
    opening = Target(url="wss://host/g?a=1", placements=places, init_payload={"a": 1}).opening("t+")
    assert opening.url == "wss://host/g?a=1&key=t%2B"
    assert opening.headers == {"Authorization": "Bearer t+"}
    assert opening.init_payload == {"a": 1, "token": "t+", "headers": {"Authorization": "Bearer t+"}}


def test_keys_below_a_key_of_the_payload_stay() -> None:
    given = {"headers": {"x-role": "user"}, "a": 1}
    placement = Placement(place="init", name="headers.Authorization")
    opening = Target(url="wss://host", placements=(placement,), init_payload=given).opening("t")
    assert opening.init_payload == {"headers": {"x-role": "user", "Authorization": "t"}, "a": 1}
    assert given == {"headers": {"x-role": "user"}, "a": 1}
