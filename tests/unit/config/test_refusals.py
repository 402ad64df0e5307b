"""Rules of the user's own for the table of refusals."""

from __future__ import annotations

import pytest

from connector.refusals import Action, Refusals, Symptom
from tests.unit.config.conftest import GENERIC, Outlined, Read, Refused


def with_rules(*rules: str) -> str:
    lines = "".join(f"    - {{{rule}}}\n" for rule in rules)
    return GENERIC.replace("kafka:\n", f"  refusals:\n{lines}kafka:\n")


def test_a_rule_is_asked_before_all_others(read: Read) -> None:
    config = read(
        with_rules(
            "place: close, close_code: 4403, text: 'no plan', action: slow, reason: plan_too_small",
            "error_code: SESSION_REPLACED, action: wait",
            "status: 418, action: reconnect, reason: teapot",
        )
    )
    refusals = Refusals(overrides=[rule.as_rule() for rule in config.endpoint.refusals])
    verdicts = [
        refusals.classify(Symptom(place="close", close_code=4403, texts=("you have NO PLAN",))),
        refusals.classify(Symptom(place="close", close_code=4403)),
        refusals.classify(Symptom(place="stream", error_codes=("session_replaced",))),
        refusals.classify(Symptom(place="handshake", status=418)),
    ]
    assert [(verdict.action, verdict.reason) for verdict in verdicts] == [
        (Action.SLOW, "plan_too_small"),
        (Action.NEW_TOKEN, "unauthorized"),
        (Action.WAIT, "own_rule"),
        (Action.RECONNECT, "teapot"),
    ]


@pytest.mark.parametrize("action", [action.name.lower() for action in Action])
def test_every_action_can_be_named(read: Read, action: str) -> None:
    (rule,) = read(with_rules(f"status: 418, action: {action}")).endpoint.refusals
    assert rule.as_rule().action.name.lower() == action


@pytest.mark.parametrize(
    ("rule", "key", "message"),
    [
        ("status: 403", ".action", "is missing"),
        ("status: 403, action: retry", ".action", "must be one of"),
        ("action: slow", "", "has no condition"),
        ("action: slow, reason: x", "", "has no condition"),
        ("place: everywhere, action: slow", ".place", "must be one of"),
        ("status: 99, action: slow", ".status", "greater than or equal to 100"),
        ("status: 600, action: slow", ".status", "less than or equal to 599"),
        ("status: 101, action: slow", ".status", "is accepted"),
        ("status: forbidden, action: slow", ".status", "is not a whole number"),
        ("close_code: 403, action: slow", ".close_code", "greater than or equal to 1000"),
        ("close_code: 5000, action: slow", ".close_code", "less than or equal to 4999"),
        ("error_code: '', action: slow", ".error_code", "is empty"),
        ("error_code: 401, action: slow", ".error_code", "reads it as a number"),
        ("text: '', action: slow", ".text", "is empty"),
        ("text: '(', action: slow", ".text", "is no regular expression"),
        ("text: '[a', action: slow", ".text", "is no regular expression"),
        ("text: 'x[a', action: slow", ".text", "is no regular expression: missing ] at character 2"),
        ("text: '(?!no) plan', action: slow", ".text", "looks ahead or behind"),
        ("text: '(\\pL{0,99}\\pN{0,99}){0,9}', action: slow", ".text", "could take too long"),
        ("text: '.*', action: slow", ".text", "fits every text"),
        ("text: 'a?', action: slow", ".text", "fits every text"),
        ("text: '$', action: slow", ".text", "fits every text"),
        (f"text: '{'a' * 501}', action: slow", ".text", "is longer than 500"),
        ("place: close, status: 403, action: slow", ".status", "is never known at close"),
        ("place: handshake, close_code: 4403, action: slow", ".close_code", "is never known at handshake"),
        ("place: close, error_code: X, action: slow", ".error_code", "is never known at close"),
        ("place: silence, text: x, action: slow", ".text", "is never known at silence"),
        ("status: 403, close_code: 4403, action: slow", ".close_code", "can never hold beside status"),
        ("close_code: 4403, error_code: X, action: slow", ".error_code", "can never hold beside close_code"),
        ("status: 403, action: slow, reason: Plan Too Small", ".reason", "is no label"),
        (f"status: 403, action: slow, reason: {'a' * 41}", ".reason", "is no label"),
        ("status: 403, action: slow, statuses: 404", ".statuses", "is an unknown key"),
        ("status: 403, action: slow, text: ", ".text", "has no value"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named_with_its_line(
    refused: Refused, rule: str, key: str, message: str
) -> None:
    (problem,) = refused(with_rules("status: 418, action: wait", rule))
    assert problem.path == f"endpoint.refusals[1]{key}"
    assert problem.where == "shop.yaml:6"
    assert message in problem.message


def test_all_mistakes_are_told_at_once(refused: Refused) -> None:
    problems = refused(with_rules("text: '(', action: go", "action: slow", "status: 101, action: slow"))
    assert [problem.path for problem in problems] == [
        "endpoint.refusals[0].text",
        "endpoint.refusals[0].action",
        "endpoint.refusals[1]",
        "endpoint.refusals[2].status",
    ]


@pytest.mark.parametrize("value", ["text", "{status: 403}", "[403]", "[[]]"])
def test_what_is_no_list_of_rules_is_refused(refused: Refused, value: str) -> None:
    (problem, *_) = refused(GENERIC.replace("kafka:\n", f"  refusals: {value}\nkafka:\n"))
    assert problem.path is not None
    assert problem.path.startswith("endpoint.refusals")


def test_values_that_are_not_known_yet_are_not_checked(outlined: Outlined, read: Read) -> None:
    text = with_rules("text: '${env:PATTERN}', status: '${env:S}', action: slow")
    assert outlined(text).plans
    assert len(read(text, env={"PATTERN": "x", "S": "429"}).endpoint.refusals) == 1
