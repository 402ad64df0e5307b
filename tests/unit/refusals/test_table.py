"""The table of refusals, rule by rule."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.refusals import PLACES, PROVIDERS, RULES, Action, Refusals, Rule, Symptom, classify
from connector.refusals.reasons import REMEDIES

NEW_TOKEN, PAUSE, WAIT, SLOW, RECONNECT = (
    Action.NEW_TOKEN,
    Action.PAUSE,
    Action.WAIT,
    Action.SLOW,
    Action.RECONNECT,
)


DOCUMENT = "document_refused"


def verdict(place: str, **facts: object) -> tuple[Action, str, bool]:
    found = classify(Symptom(place=place, **facts))  # type: ignore[arg-type]
    return found.action, found.reason, found.known


@pytest.mark.parametrize("place", ["handshake", "init", "subscribe", "stream", "close"])
@pytest.mark.parametrize(
    ("text", "action", "reason"),
    [
        ("No active billing period", PAUSE, "points"),
        ("access restricted by points limit", PAUSE, "points"),
        ("points limit exceeded: usage quota reached", PAUSE, "points"),
        ("Too Many Sessions", WAIT, "too_many_sessions"),
        ("too many concurrent subscriptions", WAIT, "too_many_sessions"),
        ("Too many requests", WAIT, "too_many_sessions"),
        ("Too many open connections for this token", WAIT, "too_many_sessions"),
        ("rate limit exceeded", WAIT, "too_many_sessions"),
        ("Payment Required", PAUSE, "points"),
        ("monthly quota has been reached", PAUSE, "points"),
        ("not enough credits", PAUSE, "points"),
        ('Variable "$token" got invalid value 1', SLOW, "document_refused"),
        ("field 'x' not found in type: 'subscription_root'", SLOW, "document_refused"),
        ("exceeded the maximum number of subscriptions per user id", WAIT, "too_many_sessions"),
        ("no table can query Balances, consider use realtime dataset", SLOW, "document_refused"),
        ('Cannot query field "x" on type "EVM"', SLOW, "document_refused"),
        ('Unknown argument "x"', SLOW, "document_refused"),
        ("Syntax Error: Unexpected Name", SLOW, "document_refused"),
        ('Field "ticks" argument "n" of type "Int!" is required, but it was not provided.', SLOW, DOCUMENT),
        ('Variable "$n" of required type "Int!" was not provided.', SLOW, DOCUMENT),
        ("Unable to identify operation", SLOW, DOCUMENT),
        ("Must provide operation name if query contains multiple operations.", SLOW, DOCUMENT),
        ("Subscription must select only one top level field.", SLOW, DOCUMENT),
        ('Int cannot represent non-integer value: "x"', SLOW, DOCUMENT),
        ('Field "rows" of type "[Row]" must have a selection of subfields.', SLOW, DOCUMENT),
        ("Unauthorized", NEW_TOKEN, "unauthorized"),
        ("401 Unauthorized", NEW_TOKEN, "unauthorized"),
        ("unauthorised", NEW_TOKEN, "unauthorized"),
        ("Forbidden", NEW_TOKEN, "unauthorized"),
        ("Access denied", NEW_TOKEN, "unauthorized"),
        ("User is not authenticated", NEW_TOKEN, "unauthorized"),
        ("Authentication required", NEW_TOKEN, "unauthorized"),
        ("authentication failed", NEW_TOKEN, "unauthorized"),
        ("Permission denied", NEW_TOKEN, "unauthorized"),
        ("Could not verify JWT: JWTExpired", NEW_TOKEN, "unauthorized"),
        ("401: token expired", NEW_TOKEN, "unauthorized"),
        ("Your access token was revoked", NEW_TOKEN, "unauthorized"),
        ("malformed bearer token", NEW_TOKEN, "unauthorized"),
        ("invalid token", NEW_TOKEN, "unauthorized"),
        ("Expired access token", NEW_TOKEN, "unauthorized"),
        ("The token has expired", NEW_TOKEN, "unauthorized"),
        ("JWT is not valid", NEW_TOKEN, "unauthorized"),
        ("bad api key", NEW_TOKEN, "unauthorized"),
        ("missing credentials", NEW_TOKEN, "unauthorized"),
    ],
)
def test_what_was_said_decides_wherever_it_was_said(
    place: str, text: str, action: Action, reason: str
) -> None:
    code = 4999 if place == "close" else None
    assert verdict(place, close_code=code, texts=("something else", text)) == (action, reason, True)


@pytest.mark.parametrize(
    ("code", "action", "reason"),
    [
        *[
            (code, NEW_TOKEN, "unauthorized")
            for code in ("UNAUTHENTICATED", "UNAUTHORIZED", "FORBIDDEN", "MISSING_TOKEN", "INVALID_TOKEN")
        ],
        *[
            (code, NEW_TOKEN, "unauthorized")
            for code in ("invalid-jwt", "access-denied", "401", "unauthorized")
        ],
        *[(code, PAUSE, "points") for code in ("PAYMENT_REQUIRED", "402")],
        *[(code, WAIT, "too_many_sessions") for code in ("TOO_MANY_REQUESTS", "429")],
        *[(code, SLOW, "document_refused") for code in ("GRAPHQL_VALIDATION_FAILED", "validation-failed")],
    ],
)
@pytest.mark.parametrize("place", ["init", "subscribe", "stream"])
def test_codes_of_errors_decide_without_a_text(place: str, code: str, action: Action, reason: str) -> None:
    assert verdict(place, error_codes=("X", code)) == (action, reason, True)


@pytest.mark.parametrize(
    ("status", "action", "reason"),
    [
        (401, NEW_TOKEN, "unauthorized"),
        (403, NEW_TOKEN, "unauthorized"),
        (402, PAUSE, "points"),
        (429, WAIT, "too_many_sessions"),
        *[(status, RECONNECT, "server_error") for status in (408, 424, 425, 500, 502, 503, 504, 599)],
        *[(status, SLOW, "handshake_refused") for status in (200, 301, 302, 400, 404, 405, 410, 426)],
    ],
)
def test_a_status_decides_where_nothing_was_said(status: int, action: Action, reason: str) -> None:
    assert verdict("handshake", status=status) == (action, reason, True)
    assert verdict("handshake", status=status, texts=("nginx",)) == (action, reason, True)


@pytest.mark.parametrize("status", [400, 401, 403, 418, 429, 503])
@pytest.mark.parametrize("text", ["", "Unauthorized", "Too many requests", "points limit exceeded"])
@pytest.mark.parametrize(
    ("code", "action", "reason"),
    [
        ("invalid_token", NEW_TOKEN, "unauthorized"),
        ("insufficient_scope", PAUSE, "insufficient_scope"),
        ("invalid_request", SLOW, "invalid_request"),
    ],
)
def test_what_a_challenge_says_of_the_token_decides(
    status: int, text: str, code: str, action: Action, reason: str
) -> None:
    facts = {"status": status, "error_codes": (code,), "texts": (text,)}
    assert verdict("handshake", **facts) == (action, reason, True)


def test_a_challenge_of_an_unknown_kind_leaves_it_to_the_status() -> None:
    assert verdict("handshake", status=403, error_codes=("odd",)) == (NEW_TOKEN, "unauthorized", True)
    assert verdict("handshake", status=400, error_codes=("odd",)) == (SLOW, "handshake_refused", True)


@pytest.mark.parametrize(
    ("code", "action", "reason"),
    [
        *[(code, NEW_TOKEN, "unauthorized") for code in (1008, 3000, 3003, 4400, 4401, 4403)],
        (4429, WAIT, "too_many_sessions"),
        (1013, WAIT, "overload"),
        (4409, WAIT, "already_subscribed"),
        (1009, SLOW, "message_too_big"),
        *[(code, SLOW, "subprotocol_refused") for code in (1002, 4004, 4406)],
        *[(code, RECONNECT, "closed") for code in (1000, 1001, 1005, 1011, 1012, 3008, 4408, 4500, 4504)],
    ],
)
def test_a_close_code_decides_where_nothing_was_said(code: int, action: Action, reason: str) -> None:
    assert verdict("close", close_code=code) == (action, reason, True)
    assert verdict("close", close_code=code, texts=("bye",)) == (action, reason, True)


@pytest.mark.parametrize(
    ("facts", "action", "reason"),
    [
        ({"place": "handshake", "status": 403, "texts": ("points limit",)}, PAUSE, "points"),
        ({"place": "handshake", "status": 200, "texts": ("Unauthorized",)}, NEW_TOKEN, "unauthorized"),
        ({"place": "close", "close_code": 1008, "texts": ("Too Many Sessions",)}, WAIT, "too_many_sessions"),
        ({"place": "close", "close_code": 1011, "texts": ("token expired",)}, NEW_TOKEN, "unauthorized"),
        ({"place": "handshake", "status": 500, "texts": ("jwt expired",)}, NEW_TOKEN, "unauthorized"),
        # An outage of whoever checks tokens says nothing of the token.
        ({"place": "handshake", "status": 503, "texts": ("Unauthorized",)}, RECONNECT, "server_error"),
        (
            {"place": "handshake", "status": 502, "texts": ("authentication failed",)},
            RECONNECT,
            "server_error",
        ),
        (
            {"place": "close", "close_code": 4400, "texts": ("Invalid message received",)},
            SLOW,
            "message_refused",
        ),
        ({"place": "close", "close_code": 4400, "texts": ("Unauthorized",)}, NEW_TOKEN, "unauthorized"),
        ({"place": "close", "close_code": 4401, "texts": ("no plan: quota exceeded",)}, PAUSE, "points"),
        (
            {
                "place": "close",
                "close_code": 1013,
                "texts": ("client is not consuming messages",),
            },
            WAIT,
            "overload",
        ),
    ],
)
def test_what_was_said_outranks_its_number(facts: dict[str, object], action: Action, reason: str) -> None:
    found = classify(Symptom(**facts))  # type: ignore[arg-type]
    assert (found.action, found.reason) == (action, reason)


@pytest.mark.parametrize(
    ("place", "action", "reason"),
    [
        ("subprotocol", SLOW, "subprotocol_refused"),
        ("connect", RECONNECT, "unreachable"),
        ("ack", RECONNECT, "no_ack"),
        ("silence", RECONNECT, "silent"),
        ("complete", RECONNECT, "completed"),
        ("protocol", RECONNECT, "protocol_violation"),
    ],
)
def test_a_place_decides_where_there_is_no_more(place: str, action: Action, reason: str) -> None:
    assert verdict(place) == (action, reason, True)


def test_an_end_without_a_close_is_a_lost_connection() -> None:
    assert verdict("close", close_code=1006) == (RECONNECT, "connection_lost", True)


@pytest.mark.parametrize(
    ("facts", "action", "reason"),
    [
        ({"place": "stream"}, RECONNECT, "unknown"),
        ({"place": "close", "close_code": 4999}, RECONNECT, "unknown"),
        ({"place": "new"}, RECONNECT, "unknown"),
        ({"place": "init"}, NEW_TOKEN, "refused_at_init"),
        ({"place": "subscribe", "texts": ("quota of the moon",)}, WAIT, "refused_at_subscribe"),
        ({"place": "handshake", "status": 418}, SLOW, "handshake_refused"),
    ],
)
def test_what_is_not_known_is_retried_and_said(facts: dict[str, object], action: Action, reason: str) -> None:
    found = classify(Symptom(**facts))  # type: ignore[arg-type]
    assert (found.action, found.reason, found.known) == (action, reason, False)


@pytest.mark.parametrize(
    "text",
    [
        "401",
        "block 4014033",
        "error 403",
        "0x402401429",
        "took 429 ms",
        "tokens transferred: 12",
        "ForbiddenCityToken",
        "TokenExpiredSoonInu",
        "points",
        "unknownarguments",
        "invalid token address 0x0",
        "Token contract not found",
        "read more about authentication and quotas",
        "rates",
    ],
)
def test_numbers_and_names_in_a_text_decide_nothing(text: str) -> None:
    assert verdict("stream", texts=(text,)) == (RECONNECT, "unknown", False)


@pytest.mark.parametrize("provider", ["", *PROVIDERS])
def test_every_rule_decides_about_what_it_was_written_for(provider: str) -> None:
    """A rule that others always forestall would be dead."""
    refusals = Refusals(provider=provider)
    own = PROVIDERS[provider] if provider else RULES
    for rule in own:
        for symptom in symptoms_of(rule):
            decided = next(one for one in refusals.rules if one.matches(symptom))
            assert decided is rule, (symptom, decided)


def symptoms_of(rule: Rule) -> Iterator[Symptom]:
    """What fits its conditions and no more, each number and code in turn."""
    assert bool(rule.text) == bool(rule.example)
    places = rule.places or {
        place
        for place, facts in PLACES.items()
        if facts >= ({"text"} if rule.text else set()) | ({"error_code"} if rule.error_codes else set())
    }
    for place in places:
        for status in rule.statuses or [418 if place == "handshake" else None]:
            for close_code in rule.close_codes or [4999 if place == "close" else None]:
                for code in rule.error_codes or [None]:
                    yield Symptom(
                        place=place,
                        status=status,
                        close_code=close_code,
                        error_codes=(code,) if code else (),
                        texts=(rule.example,) if rule.example else (),
                    )


def test_every_reason_says_what_to_do() -> None:
    rules = [rule for table in (RULES, *PROVIDERS.values()) for rule in table]
    assert {rule.reason for rule in rules} | {"unknown"} == set(REMEDIES)


def test_every_place_that_a_rule_names_exists() -> None:
    rules = [rule for table in (RULES, *PROVIDERS.values()) for rule in table]
    assert all(rule.places <= set(PLACES) for rule in rules)


def test_overrides_are_asked_first() -> None:
    mine = Rule(action=SLOW, reason="mine", close_codes=frozenset({4403}))
    symptom = Symptom(place="close", close_code=4403, texts=("unauthorized",))
    assert classify(symptom, [mine]).reason == "mine"
    assert classify(Symptom(place="close", close_code=4401), [mine]).reason == "unauthorized"
    lost = Rule(action=SLOW, reason="lost", places=frozenset({"close"}))
    assert classify(Symptom(place="close"), [lost]).reason == "lost"


def test_all_conditions_of_a_rule_must_hold() -> None:
    rule = Rule(
        action=SLOW,
        reason="x",
        places=frozenset({"handshake"}),
        statuses=frozenset({418}),
        error_codes=frozenset({"T"}),
        text="teapot",
    )
    whole = {"place": "handshake", "status": 418, "error_codes": ("T",), "texts": ("I am a TEAPOT",)}
    assert rule.matches(Symptom(**whole))  # type: ignore[arg-type]
    for name, other in (("place", "close"), ("status", 200), ("error_codes", ()), ("texts", ("a cup",))):
        assert not rule.matches(Symptom(**{**whole, name: other}))  # type: ignore[arg-type]


@given(st.text(), st.sampled_from(sorted(PLACES)), st.integers(), st.integers(), st.text())
def test_no_symptom_makes_it_fail(text: str, place: str, status: int, close_code: int, code: str) -> None:
    symptom = Symptom(place=place, status=status, close_code=close_code, texts=(text,), error_codes=(code,))
    assert classify(symptom).reason
