"""
The table of refusals in Markdown, made from the rules.

``python -m connector.refusals.reference`` writes it to stdout; with ``--check FILE`` it says whether
``FILE`` is up to date (exit code 1 where it is not).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from connector.generated import write_or_check
from connector.refusals.general import RULES
from connector.refusals.pace import PACES, TOKEN_TOO_OLD
from connector.refusals.providers import PROVIDERS
from connector.refusals.reasons import GIVEN_TOKEN, remedy_of
from connector.refusals.rule import Rule
from connector.refusals.symptom import PLACES, Action

_HEAD = """\
# Refusals

<!-- Made by `python -m connector.refusals.reference` from the rules in connector/refusals. Do not edit. -->

Whatever an upstream says instead of rows ends in one table: the first rule whose conditions all hold
decides. Your own rules (`endpoint.refusals`, [below](#rules-of-your-own)) are asked first, then those of
the provider (`endpoint.preset`), then those of [any upstream](#any-upstream). What is said outranks the
number that it comes with. Texts are looked for in what is said of a refusal (the body of an HTTP answer,
the `error_description` of its `WWW-Authenticate`, a close reason, the message of an error), never in
rows, and no bare number counts as a text; but where a Close of 1000 to 2999 has a reason such as
`4400: …`, `4400`, `4401 - …`, `HTTP 401` or `{"code": 4401}`, that is its code. The code of an error is
its `extensions.code`, or what others write for it (`classification`, `errorType`, `statusCode`, `status`
below `http`, and the like). Errors beside rows are counted (`connector_result_errors_total`) and the rows
published; they end nothing. Errors in the place of data that
no rule knows end nothing either, unless nothing but errors and keep-alives follows for
`endpoint.keepalive_timeout`: the stream is then taken for dead, and opened anew with backoff.

Nothing that is said here ends the process, and no subscription's refusal stops another one. What the
*token endpoint* may answer is in [tokens.md](tokens.md).

## What is done

Waits are those between attempts in a row; they are forgotten once a session brought rows for two
seconds, or lived for a minute. A longer `Retry-After` is honoured, up to an hour.
"""

_NAMES: Mapping[Action, str] = {
    Action.RECONNECT: "reconnect",
    Action.NEW_TOKEN: "new token",
    Action.WAIT: "wait",
    Action.PAUSE: "pause",
    Action.SLOW: "slow",
}

_SEEN_OF_TOKENS = (
    "Warnings `session ended` and `token rejected`. Refused again with the fresh token: the alarm."
)
_SEEN: Mapping[Action, str] = {
    Action.RECONNECT: "Warning `session ended`.",
    Action.NEW_TOKEN: _SEEN_OF_TOKENS,
    Action.WAIT: "Warning `session ended`.",
    Action.PAUSE: _SEEN_OF_TOKENS,
    Action.SLOW: "Warning `session ended`, and the alarm.",
}

_AFTER = """\

**What you see** of each: the subscription's state is `waiting`, its `last_error` in `/readyz` is what
was said, `connector_reconnects_total` counts by `reason`, and the time without a session is counted in
`connector_uncovered_seconds_total`. Each kind of refusal is a warning once in a row. **The
alarm** is `connector_refused_alarm` with subscription and reason, 1 until a session brings rows for two
seconds or lives for ten, and one error `refused until something changes` with what to do. A refusal that
no rule knows (`unknown` below) is logged once for each kind, as `refusal is not known`, with all that
was seen.

**One subscription and the token that all share.** A refused token is replaced at once, for it may have
been revoked while sockets that were opened with it live on. If the fresh one is refused too, it depends
on the others: while another subscription's last word is that its token was accepted, the token is fine,
and this subscription alone waits and tries again with it. Else the next token is asked for after a wait
that grows, to five minutes. Tokens that are accepted and then refused, time and again within minutes,
are replaced ever more slowly too. Nobody who was not refused waits for a fresh token for longer than the
request for it takes, and while the token endpoint fails, the old token serves everybody else.
"""

_WORDLESS = """\

**A dead token that is refused without a word.** Some servers answer it by a Close of 4500, by the end of the
connection, or by a 5xx. So where attempts of all subscriptions end before they bring anything for a minute,
without a word of the token and with nobody getting through, one fresh token is fetched for all (warning
`nobody gets through with the token`). The next comes after two more minutes, then four, up to an hour, so
that a gateway that fails for hours costs few tokens. If it goes on for two minutes in spite of a fresh token,
the alarm is raised with the reason of the last end. Ends that cannot be the token's do not count: no
connection at all, a limit, overload, a document that is refused. Anybody who gets a row ends it, and so does
a session that lasts for five minutes without one. One whose own rights are refused changes nothing of this.
"""

_OWN = """\
## Rules of your own

```yaml
endpoint:
  refusals:
    - {place: close, close_code: 4403, text: "plan", action: slow, reason: plan_too_small}
    - {error_code: SESSION_REPLACED, action: wait, reason: other_consumer}
```

Of the conditions `place`, `status` (HTTP, at the handshake), `close_code`, `error_code`
(`extensions.code` of an error; at the handshake the `error` of a `WWW-Authenticate: Bearer`) and `text`
(a regular expression in the [syntax of RE2](https://github.com/google/re2/wiki/Syntax), searched without
regard to case) at least one is needed, and all that are given must hold. The actions are `reconnect`,
`new_token`, `wait`, `pause` and `slow`. The `reason` becomes a label of metrics. Places:
"""

_PLACES: Mapping[str, str] = {
    "connect": "no connection: name, TCP, TLS, proxy, or an upgrade that is not answered in time",
    "handshake": "an HTTP answer instead of the upgrade",
    "subprotocol": "the server selects neither subprotocol",
    "ack": "no `connection_ack` in time",
    "init": "`connection_error`, or `error` before the acknowledgement",
    "subscribe": "`error` before the first result",
    "stream": "`error` after a result, errors in a result without rows, or a result whose data is an error",
    "complete": "the server completes the subscription",
    "close": "the server closes; 1006: the connection ends without a Close",
    "silence": "nothing comes for too long",
    "protocol": "bytes that are no message",
}

_NOTHING = "\u2013"


def reference_text() -> str:
    """The whole document."""
    parts = [_HEAD, *_actions(), _AFTER, _WORDLESS, "## Any upstream\n", *_rules(RULES)]
    parts.append(f"| anything else | reconnect | `unknown` | {_sentence(remedy_of('unknown'))} |")
    parts.append("")
    for provider, rules in PROVIDERS.items():
        parts += [f"## The preset {provider}\n", *_rules(rules), ""]
    parts += [_given(), ""]
    parts += [_OWN, *(f"- `{place}`: {meaning}." for place, meaning in _PLACES.items())]
    return "\n".join(parts) + "\n"


def _given() -> str:
    """What other remedies there are where the token is the user's."""
    remedies = (f"`{reason}`: {_sentence(remedy)}" for reason, remedy in GIVEN_TOKEN.items())
    return "With `token` or `token_file` other things are to be done. " + " ".join(remedies)


def _actions() -> Iterator[str]:
    yield "| | what is done | what you see |"
    yield "|---|---|---|"
    for action, name in _NAMES.items():
        yield f"| **{name}** | {_done(action)} | {_SEEN[action]} |"


def _done(action: Action) -> str:
    pace = PACES[action]
    first, cap = _span(pace.first), _span(pace.cap)
    match action:
        case Action.RECONNECT:
            return f"Another attempt after a random wait, of up to {first} at first, doubled up to {cap}."
        case Action.NEW_TOKEN:
            return (
                "The token is replaced and the next attempt made at once. Refused again with the fresh one: "
                f"waits of {first}, doubled up to {cap}; a token older than {_span(TOKEN_TOO_OLD)} is then "
                "replaced before the attempt."
            )
        case Action.WAIT:
            return f"Another attempt with the same token after {first}, doubled up to {cap}."
        case Action.PAUSE:
            return (
                "The token is replaced once, as it may be bound to the old plan. Refused again: pauses of "
                f"{first}, doubled up to {cap}, with a fresh token after each."
            )
        case Action.SLOW:
            return f"Another attempt with the same token after {first}, doubled up to {cap}."


def _span(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds >= 3600:
        return f"{seconds / 3600:g} h"
    return f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:g} min"


def _rules(rules: Iterable[Rule]) -> Iterator[str]:
    yield "| refusal | what is done | reason | what you do |"
    yield "|---|---|---|---|"
    for rule in rules:
        guess = "" if rule.known else ", a guess: the log says what was seen"
        yield (
            f"| {_cell(_condition(rule))} | {_NAMES[rule.action]}{guess} | `{rule.reason}` "
            f"| {_cell(_sentence(remedy_of(rule.reason)))} |"
        )


def _condition(rule: Rule) -> str:
    said = []
    if rule.statuses:
        said.append(f"HTTP {_numbers(rule.statuses)}")
    if rule.close_codes:
        said.append(f"close {_numbers(rule.close_codes)}")
    if rule.error_codes:
        said.append(_codes(rule))
    if rule.text:
        said.append(f"a text such as “{rule.example}”")
    if said:
        return " with ".join(said)
    (place,) = rule.places
    return f"anything else at `{place}`" if PLACES[place] else _PLACES[place]


def _codes(rule: Rule) -> str:
    where = "`WWW-Authenticate` with error" if rule.places == {"handshake"} else "an error with code"
    return f"{where} {', '.join(f'`{code}`' for code in sorted(rule.error_codes))}"


def _numbers(numbers: Iterable[int]) -> str:
    """``500-503, 599``: neighbours as a range."""
    runs = []
    for _, run in groupby(enumerate(sorted(numbers)), lambda pair: pair[1] - pair[0]):
        found = [number for _, number in run]
        runs += [f"{found[0]}\u2013{found[-1]}"] if len(found) > 2 else [str(number) for number in found]
    return ", ".join(runs)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: Sequence[str]) -> int:
    """Return the exit code."""
    return write_or_check(arguments, reference_text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
