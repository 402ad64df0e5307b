"""What tokens are for, in words for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenUse:
    """
    Whom the tokens are shown to, as log lines and status say it.

    ``name`` marks log lines as ``tokens_for``, ``None`` leaves them as they are. ``rejected`` is said of a
    token that was not accepted, ``rejected_again`` when the next one was not accepted either.
    """

    name: str | None
    rejected: str
    rejected_again: str


ENDPOINT = TokenUse(
    name=None,
    rejected="the endpoint rejected the token",
    rejected_again="the endpoint rejects fresh tokens: check the account's rights, plan and points",
)
GIVEN = TokenUse(
    name=None,
    rejected="the endpoint rejected the given token",
    rejected_again="the endpoint rejects the given token: give another one",
)
BROKERS = TokenUse(
    name="kafka",
    rejected="a broker rejected the token",
    rejected_again="the brokers reject fresh tokens: check what they expect of issuer, audience and scope",
)
