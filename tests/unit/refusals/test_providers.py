"""What each provider says in its own words."""

import pytest

from connector.presets import PRESETS
from connector.refusals import PROVIDERS, Action, Refusals, Symptom
from connector.subscription.errors import SocketClosed

NEW_TOKEN, PAUSE, WAIT, SLOW, RECONNECT = (
    Action.NEW_TOKEN,
    Action.PAUSE,
    Action.WAIT,
    Action.SLOW,
    Action.RECONNECT,
)


def verdict(provider: str, place: str, **facts: object) -> tuple[Action, str, bool]:
    found = Refusals(provider=provider).classify(Symptom(place=place, **facts))  # type: ignore[arg-type]
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
        ("exceeded the maximum number of subscriptions per user id", WAIT, "too_many_sessions"),
        ("temporarily blocked due to a high number of long-running queries", WAIT, "busy"),
        ("no table can query Holders, consider use realtime dataset", SLOW, "document_refused"),
        ("Unauthorized", NEW_TOKEN, "unauthorized"),
    ],
)
def test_bitquery_is_understood_by_its_texts(place: str, text: str, action: Action, reason: str) -> None:
    status = 403 if place == "handshake" else None
    code = 1008 if place == "close" else None
    found = verdict("bitquery", place, status=status, close_code=code, texts=(text,))
    assert found == (action, reason, True)


@pytest.mark.parametrize(
    ("status", "action", "reason"),
    [
        (402, PAUSE, "points"),
        (403, NEW_TOKEN, "unauthorized"),
        (424, RECONNECT, "server_error"),
        (429, WAIT, "too_many_sessions"),
        (500, RECONNECT, "server_error"),
    ],
)
def test_bitquery_is_understood_by_its_statuses(status: int, action: Action, reason: str) -> None:
    page = "403 Forbidden nginx" if status == 403 else "nginx"
    assert verdict("bitquery", "handshake", status=status, texts=(page,)) == (action, reason, True)


@pytest.mark.parametrize("place", ["subscribe", "stream"])
@pytest.mark.parametrize("code", ["MISSING_TOKEN", "INVALID_TOKEN"])
def test_goldrush_refuses_a_key_in_answer_to_the_operation(place: str, code: str) -> None:
    assert verdict("goldrush", place, error_codes=(code,)) == (NEW_TOKEN, "unauthorized", True)


def test_goldrush_failing_to_check_a_key_says_nothing_of_the_key() -> None:
    facts = {"error_codes": ("AUTH_SYSTEM_ERROR",), "texts": ("authentication failed",)}
    assert verdict("goldrush", "subscribe", **facts) == (RECONNECT, "server_error", True)


@pytest.mark.parametrize(
    ("code", "action", "reason"),
    [
        (4400, SLOW, "document_refused"),
        (4401, NEW_TOKEN, "unauthorized"),
        (4403, NEW_TOKEN, "unauthorized"),
        (4409, WAIT, "already_subscribed"),
    ],
)
def test_ohip_is_understood_by_its_close_codes(code: int, action: Action, reason: str) -> None:
    assert verdict("ohip", "close", close_code=code) == (action, reason, True)


HASURA_CLOSES = [
    '4400: {"server error":"x-hasura-admin-secret/x-hasura-access-key required, but not found"}',
    'invalid "x-hasura-admin-secret"/"x-hasura-access-key"',
    "4400: Could not verify JWT: JWTExpired",
    "4401: go away",
    " 4403 : no",
    "4401 - Unauthorized",
    "4400 Bad",
    "4401 unauthorized",
    "(4400) x",
    "[4403] no",
    "4400",
    "code 4400: x",
    "Error 4401",
    "close code=4403",
    "4401 — expired",
    "401",
    "HTTP 401",
    "HTTP/1.1 403 Forbidden",
    "status code 401",
    "401: no",
    '{"code":4401,"message":"x"}',
    '{"error":{"statusCode":"401"}}',
]


@pytest.mark.parametrize("provider", ["hasura", "generic"])
@pytest.mark.parametrize("code", [1000, 1008, 1011, 4400])
@pytest.mark.parametrize("reason", HASURA_CLOSES)
def test_a_close_whose_reason_names_what_is_wrong_is_understood(
    provider: str, code: int, reason: str
) -> None:
    symptom = SocketClosed(code, reason).symptom
    found = Refusals(provider=provider).classify(symptom)
    assert (found.action, found.reason) == (NEW_TOKEN, "unauthorized")


@pytest.mark.parametrize(
    "reason",
    [
        *("", "going away", "14400: x", "block 4400 done", "4400 rows", "44000: x", "4400-4500 rows"),
        *("(44000) x", "401 rows", "401 Trades sent", "403-404", "1401", '{"rows":401}', '{"code":200}'),
    ],
)
def test_a_number_in_the_reason_of_a_close_is_no_code(reason: str) -> None:
    assert SocketClosed(1000, reason).symptom.close_code == 1000


@pytest.mark.parametrize("place", ["init", "subscribe", "stream"])
@pytest.mark.parametrize(
    ("facts", "action", "reason"),
    [
        ({"texts": ("Could not verify JWT: JWTExpired",)}, NEW_TOKEN, "unauthorized"),
        ({"texts": ("Could not verify JWT: JWSError JWSInvalidSignature",)}, NEW_TOKEN, "unauthorized"),
        (
            {"texts": ("Missing 'Authorization' or 'Cookie' header in JWT authentication mode",)},
            NEW_TOKEN,
            "unauthorized",
        ),
        ({"error_codes": ("invalid-jwt",)}, NEW_TOKEN, "unauthorized"),
        ({"error_codes": ("access-denied",)}, NEW_TOKEN, "unauthorized"),
        ({"error_codes": ("start-failed",)}, RECONNECT, "start_failed"),
        (
            {"texts": ("start received before the connection is initialised",)},
            RECONNECT,
            "start_failed",
        ),
        ({"error_codes": ("validation-failed",)}, SLOW, "document_refused"),
    ],
)
def test_hasura_is_understood_wherever_it_says_so(
    place: str, facts: dict[str, object], action: Action, reason: str
) -> None:
    assert verdict("hasura", place, **facts) == (action, reason, True)


@pytest.mark.parametrize(
    ("code", "action", "reason"),
    [(4403, NEW_TOKEN, "unauthorized"), (4429, WAIT, "too_many_sessions"), (4500, RECONNECT, "closed")],
)
def test_tibber_is_understood_by_its_close_codes(code: int, action: Action, reason: str) -> None:
    assert verdict("tibber", "close", close_code=code) == (action, reason, True)


def test_one_providers_rules_are_not_anothers() -> None:
    assert verdict("generic", "close", close_code=4400)[0] is NEW_TOKEN
    assert verdict("ohip", "close", close_code=4400)[0] is SLOW


def test_providers_go_by_the_names_of_presets() -> None:
    assert set(PROVIDERS) <= set(PRESETS)
